"""Checkpoints: files, the labeller in them, and the one that comes with the program."""
