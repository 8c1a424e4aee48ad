"""The text tower: words of a query as a vector in the space of a model's photos."""
