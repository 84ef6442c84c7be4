"""The learned skin labeller: features, DiffusionNet, training, and segmenting real scans."""
