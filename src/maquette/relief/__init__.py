"""Solids out of flat drawings, without a network: extruded, inflated, revolved, or as a lithophane.

Read `relief` first: its options, and the way from a picture to a watertight mesh in millimetres. `outline` finds what
the drawn lines enclose, and `gaps` closes lines that nearly meet. `profile` does the same for a solid of revolution.
`inflate` makes rounded solids by Poisson's equation, which `poisson` solves, and `lithophane` makes plates whose
thickness is the picture's darkness.
"""
