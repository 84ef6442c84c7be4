"""Head models: the interface `head_model.HeadModel`, and readers of models that people bring.

A new format is a file that reads it as `linear_model.LinearData` (as `ict_facekit` and `linear_file` do), and a row in
`registry.FORMATS`, before that of ICT-FaceKit, which takes any folder. `annotation_transfer` gives it the regions,
landmarks and lash lines that hair, clothes and skin need.
"""
