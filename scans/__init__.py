"""Scans and what is measured on them: meshes, images, units, visibility, distances, pictures, predictions."""
