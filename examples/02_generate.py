"""New chairs out of random latents, and a sheet of them. python examples/02_generate.py [OUT]"""

import sys
from pathlib import Path

import maquette
from maquette.rendering.sheets import contact_sheet

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
chairs = maquette.generate("maquette", count=4, seed=7, class_name="chair")
print(contact_sheet([chair.printable()[0] for chair in chairs], out / "chairs.png", columns=4))
