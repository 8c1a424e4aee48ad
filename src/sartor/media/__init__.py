"""Thumbnails: the contract of a media store, and the folder that keeps them."""
