"""Scans and what is measured on them, without torch: files, units, visibility, distances, predictions, pictures.

Reading and writing: `meshes`, `images`, `head_sample` (a head of a data set or capture), `predictions`, `skin_labels`,
`prediction_files`. Measures: `units`, `sampling`, `ray_casting`, `visibility`, `distance`, `boundary`.
Pictures: `pictures`, and `undistortion` of photographs.
"""
