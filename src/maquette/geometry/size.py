"""What a printer can make, as a line for the user: a size in the wrong unit shows in the result."""

import numpy as np
from jaxtyping import Float

LARGEST_MM, SMALLEST_MM = 500.0, 5.0
"""The longest side of what the printers of most people can make, and of what is worth printing."""


def size_line(extents_mm: Float[np.ndarray, "3"]) -> str:
    """What is to be said of a size that no printer makes: "1200 mm long: beyond most printers ..."; empty for others.

    Args:
        extents_mm: Along x, y and z.
    """
    longest = float(np.max(extents_mm))
    if longest > LARGEST_MM:
        return f"{longest:,.0f} mm long: beyond most printers, which make {LARGEST_MM:g} mm; give --size-mm"
    if longest < SMALLEST_MM:
        return f"{longest:.3g} mm long: too small to print; give --size-mm"
    return ""
