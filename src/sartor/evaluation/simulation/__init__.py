"""evaluation/simulation."""
