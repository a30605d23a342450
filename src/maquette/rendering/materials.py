"""Names for the parts of made objects: the makers assign them and the renderers colour them."""

MATERIALS = ("cover", "frame", "paint", "glass", "tyre", "hub", "lamp", "trim")
"""The materials. Furniture has a frame (bars: legs, posts, rails, slats) and a cover (whatever is broader: seats,
backs, tops, cushions); cars have the others."""
FACE_COLOURS = "maquette colour"
"""The face attribute of a mesh that holds its own colours: uint8 [F, 3], sRGB."""
ATTRIBUTE = "maquette material"
"""The face attribute of a mesh that holds indices into `MATERIALS`."""
