"""PLY files, as all tools write them."""
