"""Evaluation of models on sources of products.

An ``order`` says what is asked; ``task`` finds who asks and what is relevant; ``view`` is what a model compares;
``sight`` all that one model saw; ``evaluate`` puts the results together.
"""
