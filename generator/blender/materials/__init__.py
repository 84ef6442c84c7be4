"""Shaders: skin, eyes, mouth, hair, and a table (`registry`) of those of what is worn."""
