"""The scale of captures: measured, checked and kept."""
