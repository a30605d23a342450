"""Schedules of a training on rays: functions of the absolute step alone, so that they are the same after a resume."""

import math


def interval_half_width(step: int, start: float, rate: float, end: float) -> float:
    """Half the length of the interval around a surface in which a ray is sampled, in units of the frame.

    delta_k = max(start exp(-rate k), end): UNISURF (Oechsle et al. 2021), section 3.2.

    Args:
        step: The absolute step, k.
        start: The value at step 0.
        rate: Per step.
        end: The smallest value.
    """
    return max(start * math.exp(-rate * step), end)


def smallest_scale(step: int, rate: float, least: float) -> float:
    """The smallest side of a patch, in sides of the image: max(exp(-rate k), least), so 1 at the first step.

    GRAF (Schwarz et al. 2020), section 3.2. Differs from the released code, whose rate is 0.0025 * 3 per thousand
    steps, in stairs of a thousand: here it falls smoothly.

    Args:
        step: The absolute step, k.
        rate: Per step.
        least: The smallest value.
    """
    return max(math.exp(-rate * step), least)


def linear_decay(step: int, start: float, until: int) -> float:
    """From `start` at step 0 linearly to 0 at step `until`: GRAF's code, for the noise on densities.

    Args:
        step: The absolute step.
        start: The value at step 0.
        until: The first step with value 0; 0: always 0.
    """
    return start * max(0.0, 1 - step / until) if until else 0.0
