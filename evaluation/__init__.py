"""Metrics of labels, and the per-image baselines that labels are compared with."""
