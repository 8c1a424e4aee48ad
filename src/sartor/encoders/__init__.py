"""Photos to embeddings: model cards, the runtimes that execute networks, and the models of a workspace."""
