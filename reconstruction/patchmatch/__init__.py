"""Our own multi-view stereo for machines without a GPU."""
