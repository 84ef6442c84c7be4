"""People's mesh files: reading, and repair for computing."""
