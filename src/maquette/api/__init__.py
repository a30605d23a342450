"""The verbs that the command line, notebooks and the studio share. Nothing here prints or parses arguments.

Read `reconstruction` first: a picture to an object. `objects` has scans to objects, and new objects; `latent_space`
works between them, `drawings` on flat drawings and plotters, `learning` trains and measures, `trained` is about models,
`prepared` about datasets. What takes long yields events as it goes (`maquette.events`); whoever asked shows them.
`__init__.pyi` lists every name; each is imported when it is first used, and PyTorch when a model is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
