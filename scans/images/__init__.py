"""People's image files: decoding, undistorting, sampling, masks."""
