"""Data sets on disk and in object stores: shards, what stands in them, where they lie."""
