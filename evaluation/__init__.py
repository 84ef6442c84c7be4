"""Evaluation: metrics of labels, per-image baselines, and the comparison of all methods (`p2p evaluate`).

`metrics` measures one labelling, `baselines` are segmenters of single images, `comparison` runs every method on the
same heads and keeps the results, `page` shows them. `run.evaluate` is all of it.
"""
