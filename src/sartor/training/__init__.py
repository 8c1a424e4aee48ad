"""Fine-tuning: from the photos and attributes of a catalog to an encoder of its own."""
