"""The catalog store: the source of truth for products, photos and embeddings."""
