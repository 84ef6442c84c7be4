"""The learned skin labeller: features, DiffusionNet, training, and segmenting scans.

From a scan to its labels: `segment` reads a capture and writes the prediction; `inference` labels one head;
`preparation` makes the network's input (`features`, `operators`); `model` and `diffusion_net` are the network; `device`
picks what it runs on. Training adds `data` (shards, batches, samplers), `callbacks`, `checkpoints`, `loggers`, and the
command line (`cli`, `command`). `pixels` is a segmenter of single images to compare with.
"""
