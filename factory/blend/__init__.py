"""Hair blended over real photographs of a bald head: the truth below it is known, and nothing else is synthetic."""
