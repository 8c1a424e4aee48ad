"""ingest/export."""
