"""What a workspace holds, as files that other programs read; what a format cannot hold is said."""
