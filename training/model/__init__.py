"""The labeller: its Lightning module, outputs and metrics."""
