"""What the parts of made objects are of: names that the makers give and the renderers colour."""



MATERIALS = ("cover", "frame", "paint", "glass", "tyre", "hub", "lamp", "trim")
"""What parts are made of. Furniture has a frame (bars: legs, posts, rails, slats) and a cover (all that is broader:
seats, backs, tops, cushions); cars have the others."""
ATTRIBUTE = "maquette material"
"""The face attribute of a mesh that holds them."""
