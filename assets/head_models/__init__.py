"""Head models: the interface `head_model.HeadModel`, and readers of models that people bring.

A new head model is a file that reads it as `linear_model.LinearData` (as `ict_facekit` and `linear_file` do), or a
class of its own with the interface, and a row in `registry.FORMATS`. `annotation_transfer` gives it the regions,
landmarks and lash lines that hair, clothes and skin need.
"""
