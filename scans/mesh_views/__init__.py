"""Views rendered of a scan that has no photographs: the head is found, and a rig of cameras put around it."""
