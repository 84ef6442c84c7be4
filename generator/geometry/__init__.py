"""Geometry in plain numpy: distance fields, the frame of the skull, closed solids, cuts along a level."""
