"""recommend/outfit."""
