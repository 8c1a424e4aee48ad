"""Replaying a log of events: what for-you and its baselines would have recommended, and what people then did."""
