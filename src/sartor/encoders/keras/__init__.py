"""encoders/keras."""
