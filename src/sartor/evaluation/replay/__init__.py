"""evaluation/replay."""
