"""One file per component of a head: its record of parameters, and the sampler that draws them.

A new component is a file here and a row in the registry, `generator.spec.HeadSpec`. The file has a frozen record and
`sample_<component>(sampler, person)`, which asks the `ParameterSampler` for every parameter, always and in the same
order, whatever was drawn before: so an override of one leaves the others, and one draw tells every name that can be
overridden. It uses only methods of `numpy.random.Generator` whose streams are the same in every numpy from 1.24 on.

A new hairstyle, beard, garment, hat or kind of earrings is a family or kind in the tables of its component's file, a
new kind of spectacles a row of `frame_styles`; the code that builds it is in `generator.hair` or `generator.wear`.
"""
