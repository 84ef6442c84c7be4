"""The stages of a head, each in a process of its own: settings, stamps, limits, progress."""
