"""Mesh tools of the head models: subdivision, nearest and closest points, alignment, smoothing."""
