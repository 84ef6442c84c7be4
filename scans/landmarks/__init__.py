"""Landmarks of a face: detected in images, triangulated with their cameras."""
