"""One file per component of a head: its parameters, and how they are drawn.

Every component is a pair: a frozen record of parameters and `sample_<component>(rng)`. Only methods of
`numpy.random.Generator` whose streams are the same in every numpy from 1.24 on are used.
"""
