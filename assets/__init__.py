"""The head models (3DMMs) and the asset library that heads are made of. Needs numpy and the standard library only.

`head_models` has the interface and its adapters, `makehuman` the default model, `library` skins, hair, clothes and
panoramas of one's own, `geometry` the mesh tools of both.
"""
