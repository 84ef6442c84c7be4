"""Hair as strands in plain numpy: scalp, brows, lashes, beard."""
