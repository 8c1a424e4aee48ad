"""Replaying logs: recommend with what was known at a time, and compare with what people did afterwards."""
