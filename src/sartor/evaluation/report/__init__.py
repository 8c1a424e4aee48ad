"""Reports: HTML pages that need no other file, and tables for other programs."""
