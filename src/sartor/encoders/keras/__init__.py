"""Keras networks: weights, and export to ONNX."""
