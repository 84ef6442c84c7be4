"""Spectacles.

`lens_outlines` has the shape of each kind, `lens_mesh` and `frames` build it, `fit` places it on the face.
"""
