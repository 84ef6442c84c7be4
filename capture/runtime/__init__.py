"""The processes that we start and what they tell: import path, lifetime, progress, warnings."""
