"""From a seed to a `HeadSpec`, to a Blender scene, to a capture. Outside of `blender`, numpy is all that is needed.

`sampling` draws a `HeadSpec` (`spec`, which is the registry of components), each of `components` from a random stream
of its own (`streams`), as the user's `distributions` and the assets of a library (`asset_selection`) have it. `head`
evaluates the head model; `hair`, `wear` and `skin` make what grows on it, is worn and painted; `blender` renders it
with `cameras` and `lighting`. `jobs` and `image_files` are what Blender and the rest exchange.
"""

GENERATOR_VERSION = "7"
"""Stands in every `capture.json`. Raise it with every change in what a seed draws or in how a spec is rendered."""
