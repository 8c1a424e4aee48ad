"""Evaluation: metrics, model comparison, replay of events, simulated shoppers and reports."""
