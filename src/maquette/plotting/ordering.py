"""The order in which strokes are drawn, so that the way of the lifted pen is short."""

import numpy as np
from jaxtyping import Float

from maquette.extras import log_untouched, require
from maquette.geometry.strokes import Strokes

_LOOKS, _WINDOW = 60_000, 1000
"""Strokes tried for a better order, in all passes together, and how far ahead: limits the time, not what is drawn."""


def shortest_travel(strokes: Strokes, home: tuple[float, float] = (0.0, 0.0)) -> Strokes:
    """The same strokes in another order, some drawn backwards, pen by pen; never with more travel than before.

    The nearest next end is taken first (vpype's line index). Then stretches of the way are reversed while that shortens
    it (2-opt, Croes 1958).

    Args:
        strokes: In any unit.
        home: Where the pen starts and ends.
    """
    parts: list[tuple[np.ndarray, int]] = []
    here = home
    for pen in sorted(set(strokes.layers)):
        numbers = [number for number, layer in enumerate(strokes.layers) if layer == pen]
        lines = _two_opt(_nearest_first([strokes.lines[number] for number in numbers], here), here, home)
        here = (float(lines[-1][-1, 0]), float(lines[-1][-1, 1]))
        parts += [(line, pen) for line in lines]
    made = Strokes(tuple(line for line, _ in parts), strokes.width, strokes.height, tuple(pen for _, pen in parts))
    in_pens = strokes.chosen(np.argsort(strokes.layers, kind="stable"))
    return made if made.travel(home) < in_pens.travel(home) else in_pens


def _nearest_first(
    lines: list[Float[np.ndarray, "_ 2"]], start: tuple[float, float]
) -> list[Float[np.ndarray, "_ 2"]]:
    """Lines in the order in which each next one has the nearest end."""
    vpype = require("vpype", "plotter")

    with log_untouched():
        index = vpype.LineIndex([line[:, 0] + 1j * line[:, 1] for line in lines], reverse=True)
        at = complex(*start)
        made: list[np.ndarray] = []
        while len(index) > 0:
            number, backwards = index.find_nearest(at)  # a number of the index's own, which it changes as it goes
            line = index.pop(number)
            line = line[::-1] if backwards else line
            made.append(np.stack([line.real, line.imag], axis=1))
            at = line[-1]
    return made


def _two_opt(
    lines: list[Float[np.ndarray, "_ 2"]], start: tuple[float, float], end: tuple[float, float]
) -> list[Float[np.ndarray, "_ 2"]]:
    """2-opt: for each stroke, reverse the stretch that begins with it and whose reversal saves most."""
    count = len(lines)
    if count < 2:
        return lines
    order, flipped = np.arange(count), np.zeros(count, bool)
    first = np.array([complex(*line[0]) for line in lines])
    last = np.array([complex(*line[-1]) for line in lines])
    source, target = complex(*start), complex(*end)
    looks, better = 0, True
    while better and looks + count <= _LOOKS:
        better = False
        for i in range(count):
            before, stop = last[i - 1] if i else source, min(i + _WINDOW, count)
            ends, after = last[i:stop], np.append(first[i + 1 : stop], first[stop] if stop < count else target)
            saved = abs(first[i] - before) + np.abs(after - ends) - np.abs(ends - before) - np.abs(after - first[i])
            best = int(np.argmax(saved))
            if saved[best] > 1e-9:
                part = slice(i, i + best + 1)
                order[part], flipped[part] = order[part][::-1].copy(), ~flipped[part][::-1]
                first[part], last[part] = last[part][::-1].copy(), first[part][::-1].copy()
                better = True
        looks += count
    return [lines[number][::-1] if back else lines[number] for number, back in zip(order, flipped, strict=True)]
