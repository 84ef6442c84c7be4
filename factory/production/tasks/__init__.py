"""Ray tasks: the stages of one head, and the assembly of shards, on whatever node."""
