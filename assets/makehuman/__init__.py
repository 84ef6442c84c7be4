"""The default head model, made from MakeHuman's base mesh and shape targets (CC0).

`model` loads it, `bake` makes its arrays from the files (`files`) and the annotations of the mesh (`hm08`, `regions`,
`lips`, `eyeball`), `head` evaluates them, `prior` draws identities and poses, `fitting` is for proxies of the
library.
"""
