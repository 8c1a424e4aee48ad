"""Looking at results: sheets now, metrics and reports to come."""
