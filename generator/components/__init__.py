"""One file per component of a head: its parameters, and how they are drawn.

Every component is a pair: a frozen record of parameters and `sample_<component>(sampler, ...)`. It asks
`ParameterSampler` for every parameter, always and in the same order, whatever was drawn before: so an override
of one leaves the others, and every name that can be overridden is known after one draw. Only methods of
`numpy.random.Generator` whose streams are the same in every numpy from 1.24 on are used.
"""
