"""Measures of labels against true ones: confusion counts, errors near the boundary, calibration."""
