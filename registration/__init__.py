"""Registration: a template head deformed onto the skin of a scan.

`pipeline.register` registers arrays, `files.register.register_scan` a capture or a mesh file.
"""
