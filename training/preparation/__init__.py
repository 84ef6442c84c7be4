"""The stage before training: everything of a head that does not change from epoch to epoch, made once and kept.

`settings`: the options. `prepare`: the steps, one head at a time. `simplify`: fewer vertices, and interpolation back to
all of them. `targets`: labels at vertices. `cache_files`: the products' names in the cache, and reading them.
Features and operators are packages of their own.
"""
