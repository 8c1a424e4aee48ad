"""The REST API over HTTP: parse, call, present."""
