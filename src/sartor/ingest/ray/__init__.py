"""Embeds photos on a Ray cluster."""
