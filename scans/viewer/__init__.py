"""A scan to turn around: one HTML file with labels, template and cameras, which needs no server and no network."""
