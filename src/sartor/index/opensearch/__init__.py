"""A vector index in OpenSearch, which all processes of a workspace share and one of them writes."""
