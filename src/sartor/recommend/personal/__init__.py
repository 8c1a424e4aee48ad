"""Feeds: products recommended to a person, or by what people do."""
