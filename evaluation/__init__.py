"""Measures of what the model is worth."""
