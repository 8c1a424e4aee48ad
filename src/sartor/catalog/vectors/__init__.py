"""Readers of vector files that other programs made."""
