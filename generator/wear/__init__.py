"""Everything that a head wears, as meshes in plain numpy; `assembly` puts an outfit together, with the hair.

A new garment is a kind in `generator.components.garment` and its cut in `clothing`; a new hat a kind in
`generator.components.headwear` and its shape in `headwear`; a new kind of spectacles a row of
`generator.components.frame_styles`; a new earring a kind in `generator.components.jewellery` and a function in
`jewellery`.
"""
