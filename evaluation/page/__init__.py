"""The evaluation as a page, tables and sentences."""
