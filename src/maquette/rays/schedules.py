"""What changes in the course of a training on rays: plain functions of the absolute step, the same after a resume."""

import math


def interval_half_width(step: int, start: float, rate: float, end: float) -> float:
    """Half the length of the interval around a surface in which a ray is sampled, in units of the frame.

    delta_k = max(start exp(-rate k), end): UNISURF (Oechsle et al. 2021), section 3.2.
    """
    return max(start * math.exp(-rate * step), end)


def smallest_scale(step: int, rate: float, least: float) -> float:
    """The smallest side of a patch, in sides of the image: max(exp(-rate k), least), so 1 at the first step.

    GRAF (Schwarz et al. 2020), section 3.2 and its code, whose rate is 0.0025 * 3 a thousand steps, in stairs of a
    thousand; here it falls smoothly.
    """
    return max(math.exp(-rate * step), least)


def fading(step: int, start: float, until: int) -> float:
    """From `start` at step 0 in a line to 0 at step `until`: GRAF's code, for the noise on densities."""
    return start * max(0.0, 1 - step / until) if until else 0.0
