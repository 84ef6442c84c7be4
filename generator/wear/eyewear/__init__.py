"""Spectacles: frames fitted to the sampled face, and lenses."""
