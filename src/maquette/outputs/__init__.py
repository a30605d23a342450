"""The verbs of `maquette.api` on files: inputs are read, results written, and events say what became of each.

Read `naming` first, what is read and where it goes, then `pictures`: pictures to objects; `shapes` has scans and new
shapes, and the helpers that all share. `latents` interpolates, combines and projects, `suggestions` finds the known
objects nearest to a picture; `fields` and `inversion` are for models of 3DGEN and GRAF; `drawings` takes pages up and
makes reliefs; `plots` draws for plotters; `loop` is the drawing loop. Nothing here prints or parses arguments.
"""
