"""The pictures of a report on images, as PNG: every one shows its controls too."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

GENERATED, REAL, HELD_OUT, GAUSSIAN, RADIAL = "generated", "real", "held-out", "Gaussian noise", "radial noise"
"""The names of the sets of images."""
COLUMNS = (GENERATED, REAL, GAUSSIAN, RADIAL)
"""The sets that are compared with held-out images, one column each."""
COLOURS = {GENERATED: "#c8321e", REAL: "#1b5fa8", HELD_OUT: "#2a9d8f", GAUSSIAN: "#8a8a8a", RADIAL: "#c9a227"}
"""The colour of each set, in every picture."""
MARKS = {GENERATED: "o", REAL: "s", HELD_OUT: "D", GAUSSIAN: "^", RADIAL: "v"}
"""The marker of each set."""


def plot_repeats(groups: Mapping[str, Mapping[str, Sequence[float]]], label: str, *, log: bool = True) -> bytes:
    """Means of repeats with their deviations, side by side.

    Args:
        groups: Name of the group, below it, to set to the value of each repeat.
        label: Of the vertical axis.
        log: Whether that axis is logarithmic, where the values allow it.
    """
    figure, (axes,) = _figure(1, wide=max(6.0, 2.0 + 1.5 * len(groups)), high=3.2)
    for number, column in enumerate(COLUMNS):
        places = [k + (number - 1.5) * 0.16 for k, group in enumerate(groups.values()) if column in group]
        values = [group[column] for group in groups.values() if column in group]
        axes.errorbar(places, [np.mean(v) for v in values], [np.std(v) for v in values], ls="", color=COLOURS[column],
                      marker=MARKS[column], ms=6, lw=1.2, capsize=3, label=column)
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylabel(label)
    _scale(axes, log)
    _legend_above(figure, axes)
    return _png(figure)


def plot_curves(curves: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]) -> bytes:
    """Distances against the number of images, one panel a measure.

    Args:
        curves: Measure to set to number of images to the value of each repeat.
    """
    figure, panels = _figure(len(curves), wide=4.2 * len(curves), high=3.6)
    for axes, (measure, by_set) in zip(panels, curves.items(), strict=True):
        for name in [column for column in COLUMNS if column in by_set]:
            counts = sorted(by_set[name])
            means = np.array([np.mean(by_set[name][count]) for count in counts])
            spread = np.array([np.std(by_set[name][count]) for count in counts])
            label = "real beside other real" if name == REAL else name
            axes.errorbar(counts, means, spread, color=COLOURS[name], marker=MARKS[name], ms=4, lw=1.2, capsize=2,
                          label=label)
        counts = sorted({count for by_count in by_set.values() for count in by_count})
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.xaxis.minorticks_off()
        _scale(axes, all(np.mean(values) > 0 for by_count in by_set.values() for values in by_count.values()))
        axes.set_title(measure, fontsize=10)
        axes.set_xlabel("images of each set")
    _legend_above(figure, panels[0])
    return _png(figure)


def plot_spectra(
    frequencies: Float[np.ndarray, " rings"], spectra: Mapping[str, Float[np.ndarray, "_ rings"]]
) -> bytes:
    """Mean power of each set against frequency, with a band that holds the middle half of its images.

    Args:
        frequencies: Cycles per pixel.
        spectra: Set to the power of each of its images, in squared grey levels.
    """
    figure, (axes,) = _figure(1, wide=7.5, high=4.2)
    for name, found in spectra.items():
        low, high = np.percentile(found, (25, 75), axis=0)
        axes.fill_between(frequencies, np.maximum(low, 1e-6), np.maximum(high, 1e-6), color=COLOURS[name], alpha=0.18,
                          lw=0)
        axes.plot(frequencies, np.maximum(found.mean(axis=0), 1e-6), color=COLOURS[name], lw=1.4, label=name)
    axes.axhline(1 / 12, color="#444444", lw=0.8, ls=":", label="rounding to whole levels")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.03)
    axes.set_xlabel("cycles per pixel: 0.5 is the finest detail")
    axes.set_ylabel("power (grey levels squared)")
    axes.legend(fontsize=8, frameon=False)
    return _png(figure)


def plot_correlations(correlations: Mapping[str, Float[np.ndarray, " _"]]) -> bytes:
    """The cumulative share of each set's images by the correlation with their nearest training image.

    Args:
        correlations: Set to the correlation of each of its images.
    """
    figure, (axes,) = _figure(1, wide=7.5, high=3.4)
    for name, found in correlations.items():
        values = np.concatenate([[-1], np.sort(found), [1]])
        shares = np.concatenate([[0], np.arange(1, len(found) + 1) / len(found), [1]])
        axes.step(values, shares, where="post", color=COLOURS[name], lw=1.5, label=name)
    axes.set_xlim(min(0.0, *(found.min() for found in correlations.values())) - 0.02, 1.02)
    axes.set_xlabel("correlation with the nearest training image, the mean image taken out: 1 is a copy")
    axes.set_ylabel("share of the set up to here")
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return _png(figure)


def plot_map(points: Mapping[str, Float[np.ndarray, "_ 2"]]) -> bytes:
    """A map of points by set; the axes mean nothing."""
    figure, (axes,) = _figure(1, wide=6.5, high=5.5)
    for name in sorted(points, key=lambda name: name in (GENERATED, HELD_OUT)):  # those in question on top
        small = name not in (GENERATED, HELD_OUT)
        axes.scatter(points[name][:, 0], points[name][:, 1], s=18 if small else 28, marker=MARKS[name],
                     color=COLOURS[name], label=name, alpha=0.6 if small else 0.85, linewidths=0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _png(figure)


def _figure(panels: int, wide: float, high: float) -> tuple[Figure, list[Axes]]:
    """A figure, in inches, with panels side by side."""
    figure = Figure(figsize=(wide, high), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    found = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for axes in found:
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25, lw=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, found


def _scale(axes: Axes, log: bool) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 of each power of ten; a linear one over a small range."""
    low, high = axes.get_ylim()
    if not log or low <= 0 or high < 5 * low:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _legend_above(figure: Figure, axes: Axes) -> None:
    """The legend of one panel above all of them."""
    figure.legend(*axes.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside upper center", ncols=4)


def _png(figure: Figure) -> bytes:
    """The figure as PNG, without the writer's name."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
