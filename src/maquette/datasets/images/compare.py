"""What is wrong with pictures, judged by comparing their statistics with each other: plain rules, no pixels."""

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Num

from maquette.datasets.images.measure import THUMB_SIDE, ImageStatistics

KINDS = {
    "unreadable": "Damaged, cut short, too large or not an image. A cleaned copy leaves them out.",
    "duplicate": "The same or almost the same as another: scaled, compressed again, brighter, moved by 1 %. A picture "
                 "and its mirror image are not found. A cleaned copy keeps the largest.",
    "blank": "Nothing on it: 98 % of the pixels within 8 levels. A cleaned copy leaves them out.",
    "inverted": "Light where the others are dark (MONOCHROME1 saved as it is). A cleaned copy turns them round.",
    "over-exposed": "Nearly white in large parts, and the folder is not.",
    "under-exposed": "Nearly black in large parts, and the folder is not.",
    "aspect": "Another ratio of width to height than most.",
    "size": "Another size than most, in the same aspect.",
    "colour": "In colour where most are grey. A cleaned copy makes them grey.",
    "border": "Lines of pure black or white at an edge of a well exposed picture. A cleaned copy cuts them off.",
    "marker": "What looks like letters or signs burnt in near an edge, or like a word anywhere. Faint ones, one or two "
              "letters in the middle and those on a white frame are not seen; ear-rings and other metal near an edge "
              "are taken for markers. They may be names: look. A cleaned copy leaves them as they are.",
}
"""The kinds of findings, in the order of the report, each with what it means and what a cleaned copy does."""
SAME_BITS = 40
"""Two pictures may be duplicates if so many of the 256 bits of their hashes differ, or fewer. Of 80
panoramic radiographs and 80 crops to the teeth no two of different patients differed in fewer than 64; copies scaled by
half, compressed again, brightened or moved by 1 % differed in 38 at most."""
SAME_CORRELATION = 0.9
"""And they are duplicates where their 64x64 copies correlate at least so much as well."""
ALIKE = 0.3
"""The pictures of a folder are alike if the median of their correlations with the folder's median picture is above
this; only then can that correlation tell an inverted one."""
INVERTED = -0.25
"""A picture is inverted if its correlation with the median picture is below this."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one image."""

    kind: str
    """One of KINDS."""
    id: str
    """The image."""
    detail: str
    """What was found, in numbers where there are any."""
    other: str = ""
    """For a duplicate, the image that is kept in its place."""

    @property
    def line(self) -> str:
        """The finding as one line for the user."""
        return f"{self.kind}: {self.id}: {self.detail}"


def compare(statistics: dict[str, ImageStatistics]) -> tuple[list[Finding], list[str]]:
    """The findings on single pictures, and notes on all of them together.

    What most pictures have is taken for right, so at most half of them are found odd.

    Args:
        statistics: The statistics of each picture that could be read, by its name.
    """
    if not statistics:
        return [], []
    full = {name: seen for name, seen in statistics.items() if not seen.blank}
    findings = [Finding("blank", name, f"grey levels {seen.low:.0f} to {seen.high:.0f}")
                for name, seen in statistics.items() if seen.blank]
    odd, notes = _odd_sizes(statistics)
    inverted = _inverted(full)
    findings += odd + [Finding("inverted", name, why) for name, why in inverted.items()]
    exposure = _exposure(full)
    findings += _duplicates(full, set(inverted)) + exposure
    badly_exposed = {finding.id for finding in exposure}
    in_colour = [name for name, seen in statistics.items() if seen.colour]
    if 2 * len(in_colour) <= len(statistics):
        findings += [Finding("colour", name, "its channels differ") for name in in_colour]
    else:
        notes.append(f"{len(in_colour)} of {len(statistics)} images are in colour")
    for name, seen in full.items():
        if seen.bordered and name not in badly_exposed:
            findings.append(Finding("border", name, "left {}, top {}, right {}, bottom {} px".format(*seen.border)))
        if seen.markers or seen.declared:
            declared = ["the DICOM file says so"] if seen.declared else []
            places = [f"{w}x{h} px at {x},{y}" for x, y, w, h in seen.markers]
            findings.append(Finding("marker", name, "; ".join(declared + places)))
    return findings, notes + _usual_marker(full)


def _usual_marker(statistics: dict[str, ImageStatistics]) -> list[str]:
    """A note if most pictures have a marker at the same place, to a tenth of the sides: a crop can leave it out."""
    places: Counter[tuple[int, int]] = Counter()
    for seen in statistics.values():
        places.update({(int(10 * (x + w / 2) / seen.width), int(10 * (y + h / 2) / seen.height))
                       for x, y, w, h in seen.markers})
    if not places:
        return []
    (across, down), most = places.most_common(1)[0]
    if 2 * most <= len(statistics):
        return []
    return [f"{most} of {len(statistics)} images have a marker at {across * 10} to {across * 10 + 10} % of the width "
            f"and {down * 10} to {down * 10 + 10} % of the height"]


def _odd_sizes(statistics: dict[str, ImageStatistics]) -> tuple[list[Finding], list[str]]:
    """The pictures of another size or aspect than most, and notes on what most have."""
    sizes = {name: (seen.width, seen.height) for name, seen in statistics.items()}
    (width, height), most = Counter(sizes.values()).most_common(1)[0]
    aspects = {name: w / h for name, (w, h) in sizes.items()}
    majority = 2 * most > len(statistics)
    usual = width / height if majority else float(np.median(list(aspects.values())))
    off = [name for name, aspect in aspects.items() if abs(aspect / usual - 1) > 0.02]
    notes = [f"{most} of {len(statistics)} images are {width}x{height}"]
    if not majority:
        notes = [f"the images have {len(set(sizes.values()))} sizes, none of them that of most"]
        if 2 * len(off) >= len(statistics):
            return [], [*notes, "nor have most one aspect"]
        notes.append(f"most have an aspect of about {usual:.2f}")
    findings = [Finding("aspect", name, "{}x{}".format(*sizes[name])) for name in off]
    if majority:
        others = [name for name, size in sizes.items() if size != (width, height) and name not in set(off)]
        findings += [Finding("size", name, "{}x{}".format(*sizes[name])) for name in others]
    return findings, notes


def _inverted(statistics: dict[str, ImageStatistics]) -> dict[str, str]:
    """The inverted pictures by name, each with the reason.

    If the pictures are alike, the reason is their correlation with the folder's median picture. Otherwise, if seven in
    ten have a dark (or a light) ring at the edge, it is a ring of the other kind.
    """
    if len(statistics) < 5:
        return {}
    names = list(statistics)
    small = np.stack([cv2.resize(statistics[name].inner, (32, 32), interpolation=cv2.INTER_AREA) for name in names])
    vectors = standardised(small.reshape(len(names), -1))
    middle = standardised(np.median(vectors, 0, keepdims=True))[0]
    alike = vectors @ middle
    if np.median(alike) >= ALIKE:
        return {name: f"correlation {c:.2f} with the folder's median image"
                for name, c in zip(names, alike, strict=True) if c < INVERTED}
    ring = np.array([statistics[name].ring for name in names])
    for usual, other, word in ((ring < 64, ring > 191, "light"), (ring > 191, ring < 64, "dark")):
        if usual.mean() >= 0.7:
            return {names[k]: f"a {word} background" for k in np.flatnonzero(other)}
    return {}


def _duplicates(statistics: dict[str, ImageStatistics], inverted: set[str]) -> list[Finding]:
    """The pictures that are the same or almost the same as another; the largest of each group is kept."""
    names = list(statistics)
    if len(names) < 2:
        return []
    bits = np.unpackbits(np.frombuffer(b"".join(statistics[n].hash for n in names), np.uint8)).reshape(len(names), -1)
    signs = bits.astype(np.float32) * 2 - 1
    thumbs = standardised(np.stack([statistics[name].thumb for name in names]).reshape(len(names), THUMB_SIDE**2))
    turned = np.array([name in inverted for name in names])
    signs[turned], thumbs[turned] = -signs[turned], -thumbs[turned]
    kept = list(range(len(names)))  # the first of each group, by its member
    for start in range(0, len(names), 1024):
        part = slice(start, start + 1024)
        distance = (bits.shape[1] - signs[part] @ signs.T) / 2
        for near, other in zip(*np.nonzero(distance <= SAME_BITS), strict=True):
            a, b = int(near) + start, int(other)
            if a < b and thumbs[a] @ thumbs[b] >= SAME_CORRELATION:
                low, high = sorted((_root(kept, a), _root(kept, b)))
                kept[high] = low
    groups: dict[int, list[int]] = {}
    for k in range(len(names)):
        groups.setdefault(_root(kept, k), []).append(k)
    findings = []
    for group in groups.values():
        best = max(group, key=lambda k: (not turned[k], statistics[names[k]].width * statistics[names[k]].height, -k))
        for k in group:
            if k != best:
                exact = statistics[names[k]].digest == statistics[names[best]].digest
                how = "the same pixels as" if exact else "almost the same as"
                findings.append(Finding("duplicate", names[k], f"{how} {names[best]}", names[best]))
    return findings


def _root(parents: list[int], k: int) -> int:
    """The first member of the group that k is in (union-find)."""
    while parents[k] != k:
        parents[k] = parents[parents[k]]
        k = parents[k]
    return k


def standardised(rows: Num[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """The rows shifted to mean 0 and scaled to length 1, so that their dot products are correlations."""
    centred = rows.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)


def _exposure(statistics: dict[str, ImageStatistics]) -> list[Finding]:
    """The pictures that are nearly white or nearly black in large parts where the folder is not."""
    if not statistics:
        return []
    usual = float(np.median([seen.median for seen in statistics.values()]))
    glare = float(np.median([seen.bright for seen in statistics.values()]))
    findings = []
    for name, seen in statistics.items():
        levels = f"median grey level {seen.median:.0f}, of the folder {usual:.0f}"
        if (seen.median >= 210 and usual < 170) or (seen.bright >= 0.35 and glare < 0.1) or seen.low >= 170:
            findings.append(Finding("over-exposed", name, levels))
        elif (seen.median <= 25 and usual > 60) or seen.high <= 85:
            findings.append(Finding("under-exposed", name, levels))
    return findings
