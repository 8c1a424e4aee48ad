"""recommend/personal."""
