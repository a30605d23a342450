"""A drawing becomes a printable mesh. python examples/01_reconstruct.py [PICTURE] [OUT]"""

import sys
from pathlib import Path

import maquette
from maquette.outputs.pictures import EXAMPLES

picture = sys.argv[1] if len(sys.argv) > 1 else EXAMPLES / "chair.png"
out = Path(sys.argv[2] if len(sys.argv) > 2 else "out")
made = maquette.reconstruct(picture, size_mm=80)
print(made.save(out / "chair.stl"))
print(made.report.line())
