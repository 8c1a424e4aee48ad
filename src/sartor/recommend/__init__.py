"""The recommendation logic, free of vendors."""
