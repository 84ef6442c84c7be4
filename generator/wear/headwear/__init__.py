"""Hats, caps, bands and headscarves around the sampled skull; `chart` is the skull, `hats` what is worn on it."""
