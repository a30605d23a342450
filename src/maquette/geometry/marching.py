"""The surface of a field of values in a grid, by marching cubes (Lorensen and Cline 1987), with NumPy alone.

Where a face of a cube has two full corners across from each other, the two hang together, in both cubes that share the
face; and no diagonal within a cube joins two points of one face. So every edge joins exactly two triangles, whatever
the field is, and the surface is closed where the border of the grid is below the level.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Int, Int64

_TRIANGLES = (
    "/048/185/145104/294/098029/195129142184/195129102/359/349304380358/389318/349304310/254235/058035023/284218231/2"
    "10231/0a6/a48a64/6856081651a6/1451641a6/094a29a620a9/a98a29a62/1951291621a6084/1951291621a6/3590a6/3493643a638a3"
    "58/3893083603a631a/3493643a631a/054035a23a620a3/a58a35a23a62/0842a621a231/2a621a231/17a/1487047a0174/7857a8/7457"
    "047a0/29417a/1981297027a0172/7957297427847a8/7957297027a0/a59a153a937a/3493043a037a158/3893a837a/3493043a037a/25"
    "42152a127a237/15807a037023/2842a827a237/07a037023/076017/148164176/785708760/745764/094729762079017/198129162176"
    "/795729762084/795729762/059015309360376/349364376158/389308360376/349364376/054015276237/158276237/084276237/276"
    "237/26b/b48b240b806b/18526b/1451241b216b106/6946b9/0980b906b/1951b916b146184/1951b916b106/2596356b3265/249058035"
    "0b306b/2892186316b3261/24936b306310/6546356b3/0580350b306b/6846186316b3/36b306310/2ab20a/a48a24ab2/2852081251b21"
    "ab/1451241b21ab/0940b90ab/a98ab9/1951b91ab084/1951b91ab/259a35ab32a520a/249a58a35ab3/2892083ab31a/2493ab31a/0540"
    "350b30ab/a58a35ab3/0843ab31a/3ab31a/27b2172a126a/1481241b217b06a/7852a826a7287b2/7457247b206a/6941b917b6196a1/19"
    "81b917b06a/7957b96846a8/7957b906a/2592152a126a37b/24915837b06a/2892a826a37b/24937b06a/6546156a137b/15837b06a/684"
    "6a837b/37b06a/27b217201/1481241b217b/7857087207b2/7457247b2/0940b907b017/1981b917b/7957b9084/7957b9/25921520137b"
    "/24915837b/28920837b/24937b/05401537b/15837b/08437b/37b/3b7/0483b7/385b18b713b8/345304b10b713b0/7947392742b7/098"
    "0390730b702b/3952842182712b7/3951b712b102/b59b75/b49b04b80b58b75/b89b18b71/b49b04b10b71/2542752b7/0580750b702b/2"
    "842182712b7/1b712b102/0b603b0730a7/a483643b6a34a73/3853083603b61a7/3453643b61a7/0940390730a72b6/a98a39a732b6/395"
    "0842b61a7/3952b61a7/b590750a7b05b60/b49b64a58a75/b89b08b601a7/b49b641a7/0540750a72b6/a58a752b6/0842b61a7/2b61a7/"
    "1ba13b/148b04ba01b413b/3853a83ba/3453043a03ba/1941392142a12ba/1981390ba02b/3952842a82ba/3950ba02b/b59b15ba1/b49b"
    "04ba0158/b89ba8/b49b04ba0/2542152a12ba/1580ba02b/2842a82ba/0ba02b/0b603b013/1481641b613b/3853083603b6/3453643b6/"
    "0940390132b6/1981392b6/3950842b6/3952b6/b59b15b01b60/b49b64158/b89b08b60/b49b64/0540152b6/1582b6/0842b6/2b6/3673"
    "26/348324038073067/385618671368326/345324167106/694639673/098039073067/395684618671/395167106/259275267/24905807"
    "5067/289218271267/249167106/654675/058075067/684618671/167106/3a730a320/a48a24a32a73/3853083201a7/3453241a7/0940"
    "390730a7/a98a39a73/3950841a7/3951a7/2592752a720a/249a58a75/2892081a7/2491a7/0540750a7/a58a75/0841a7/1a7/16a12613"
    "2/14812413206a/3853a836a326/34532406a/6946396136a1/19813906a/3956846a8/39506a/2592152a126a/24915806a/2892a826a/2"
    "4906a/6546156a1/15806a/6846a8/06a/301320/148124132/385308320/345324/094039013/198139/395084/395/259215201/249158"
    "/289208/249/054015/158/084/"
)
"""For each of the 256 sets of full corners, the triangles: three edges of the cube each, in base 16.

Corner 4x + 2y + z is bit 4x + 2y + z of the set's number. Edges 0 to 3 run along x, 4 to 7 along y and 8 to 11 along z,
each four in the order of the corner that they start from. tests/geometry/test_marching.py makes the table anew.
"""


def marching_cubes(
    field: Float[np.ndarray, "x y z"], level: float
) -> tuple[Float32[np.ndarray, "v 3"], Int64[np.ndarray, "f 3"]]:
    """The surface where a field has a value, linearly interpolated, around what lies above it.

    Args:
        field: Values at the points of a grid; none should be exactly the level.
        level: The value.

    Returns:
        Vertices, in steps of the grid from its first point; and faces, which turn counter-clockwise seen from outside.
    """
    corners, edges, counts = _table()
    full = field > level
    shape, strides = field.shape, (field.shape[1] * field.shape[2], field.shape[2], 1)
    case = np.zeros([length - 1 for length in shape], np.uint8)
    for corner, offset in enumerate(corners):
        part = full[tuple(slice(step, length - 1 + step) for step, length in zip(offset, shape, strict=True))]
        case |= part.view(np.uint8) << np.uint8(corner)
    x, y, z = np.nonzero((case > 0) & (case < 255))
    number = np.empty(3 * field.size, np.int32)  # of the vertex on each edge of the grid; only those that are cut
    vertices, found = [], 0
    values = field.ravel()
    for axis in range(3):
        low = tuple(slice(None, -1) if other == axis else slice(None) for other in range(3))
        high = tuple(slice(1, None) if other == axis else slice(None) for other in range(3))
        place = np.stack(np.nonzero(full[low] != full[high]), 1)
        at = place @ np.array(strides)
        number[3 * at + axis] = np.arange(found, found + len(at))
        found += len(at)
        before, after = values[at], values[at + strides[axis]]
        points = place.astype(np.float32)
        points[:, axis] += (level - before) / (after - before)
        vertices.append(points)
    kinds = case[x, y, z]
    times = counts[kinds]
    own = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)  # which triangle of its cube
    starts = (corners[edges[..., 0]] @ np.array(strides)) * 3 + edges[..., 1]
    cubes = 3 * (x * strides[0] + y * strides[1] + z)
    keys = starts[np.repeat(kinds, times), own] + np.repeat(cubes, times)[:, None]
    return np.concatenate(vertices), number[keys].astype(np.int64)


@cache
def _table() -> tuple[Int[np.ndarray, "8 3"], Int[np.ndarray, "256 5 3 2"], Int[np.ndarray, " 256"]]:
    """The corners of a cube; for each case its triangles as corner and axis of three edges; and how many there are."""
    corners = np.array([(corner >> 2 & 1, corner >> 1 & 1, corner & 1) for corner in range(8)])
    along = np.array([(corner, axis) for axis in range(3) for corner in range(8) if not corners[corner, axis]])
    cases = _TRIANGLES.split("/")
    digits = np.array([[int(digit, 16) for digit in case.ljust(15, "0")] for case in cases])
    return corners, along[digits.reshape(256, 5, 3)], np.array([len(case) // 3 for case in cases])
