"""Tools of the repository: what makes data that the package ships."""
