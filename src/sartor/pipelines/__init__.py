"""What is done to a whole source or workspace: ingest, embed, catch up, check."""
