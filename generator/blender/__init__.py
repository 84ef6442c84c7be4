"""The scene of a head in Blender, and its images: the only package that imports `bpy`.

`command` is the program that runs inside Blender, with its tasks in `jobs`. `build` makes the scene: `scene` is an
empty one, `world` the light, `meshes` and `curves` add objects, `materials` their shaders. `render` makes the images,
`passes` the ground truth. `compat` knows the differences between Blender's versions.
"""
