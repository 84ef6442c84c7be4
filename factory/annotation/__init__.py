"""Masks that people paint on scans in Blender: a file to paint in, and the labels in a painted one (`p2p annotate`)."""
