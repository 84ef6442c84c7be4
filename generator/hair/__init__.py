"""Hair as strands in plain numpy.

`styles` has the hairstyles; `scalp`, `brows`, `lashes` and `beard` grow what a spec asks for by the tools in `growth`
and `grooming`; strands keep clear of the `obstacle`; `under_headwear` and `under_library_hat` press them down.
"""
