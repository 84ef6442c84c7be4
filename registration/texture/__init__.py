"""Texture of a registered template: the images of its capture, baked onto the template's texture coordinates."""
