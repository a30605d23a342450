"""Maquette: a sketch, a photo or a depth scan in, a printable 3D object out; and the adversarial networks that do it.

    import maquette
    made = maquette.reconstruct("chair.jpg")      # a mesh in millimetres, watertight
    made.save("chair.stl")

The public interface is the list of names in `__init__.pyi`, by theme; each is imported when it is first used, so that
`import maquette` costs nothing. The names are held stable; what is deeper in the package may move.
"""

import lazy_loader

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
