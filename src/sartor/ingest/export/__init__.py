"""Exports: the catalog as tables, and its embeddings as files and indexes of other programs."""
