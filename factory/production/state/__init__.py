"""State of a run in its store: existing files, head archives, quarantine, heartbeat, lock, `dataset.json`."""
