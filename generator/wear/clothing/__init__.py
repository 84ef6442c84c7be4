"""Clothes as geometry: cut out of the body, laid around the neck; plain numpy."""
