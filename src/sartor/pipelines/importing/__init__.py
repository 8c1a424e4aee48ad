"""Vectors that another program made, into the catalog: made ready, compared with a model's own, and written."""
