"""Pictures: meshes rendered, colours of labels, sheets, plots, encoding for web pages."""
