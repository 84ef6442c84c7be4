"""Mesh arithmetic in plain numpy: subdivision, sampling, distance fields."""
