"""Drawings for a pen plotter: what becomes a line, in which order, in which file, and how it is sent to a machine.

Read `drawing` first: an object, a mesh, a picture or an SVG as strokes on a page. `settings` holds the view, the paper
and the machine. `trace` finds the centre lines of a picture, and `ordering` shortens the way of the lifted pen. `svg`,
`hpgl` and `gcode` write files (SVG and G-code are read too); `grbl` sends G-code over a serial port.
"""
