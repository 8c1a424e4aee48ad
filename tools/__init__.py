"""Tools of the repository: they make data that the package ships, and pages of the documentation."""
