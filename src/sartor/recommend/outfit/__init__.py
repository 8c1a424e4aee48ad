"""Outfits: products of other slots that complete a look."""
