"""catalog/vectors."""
