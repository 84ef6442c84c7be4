"""Tasks that run inside Blender: captures, previews, overlays of hair, files to paint masks in."""
