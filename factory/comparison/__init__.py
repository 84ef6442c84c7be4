"""The tables: every method on the same heads, labelled, registered and measured (`p2p evaluate`)."""
