"""A data set as batches: shards, samplers, targets, data modules."""
