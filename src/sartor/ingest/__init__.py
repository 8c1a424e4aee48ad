"""Ingest: from a source to the store and the index, maintenance, and export."""
