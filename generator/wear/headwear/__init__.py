"""Headwear around the sampled skull."""
