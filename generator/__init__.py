"""From a seed to a `HeadSpec`, to a Blender scene, to a capture."""

GENERATOR_VERSION = "4"
"""Stands in every `capture.json`. Raise it with every change in what a seed draws or in how a spec is rendered."""
