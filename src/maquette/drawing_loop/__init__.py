"""The drawing loop: a picture becomes an object, the object a drawing from the next angle, the drawing a picture.

Read `loop` first: `run_loop`, and the two small protocols that connect it to the world, `Plotter` (draws) and
`PageCamera` (looks at the drawing). `hardware` has those of real machines, cameras and scanners; `simulation` has a
page that is both and needs no hardware. `rounds` keeps a loop's rounds on disk, so that it can go on later.
"""
