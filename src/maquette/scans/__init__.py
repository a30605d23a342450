"""Scans: partial grids with only the surface voxels that one depth camera saw.

`read` takes files of sensors: depth pictures, point clouds, partial grids. `place` stands their points upright in the
package's frame, on the floor that `floor` finds. `facing` guesses from which side an object was seen. Scans of meshes
are made in `maquette.rendering.depth_scan` and offered here too. Read `read`, then `place`.
"""

from maquette.rendering.depth_scan import COUNT, scan, scan_cameras, scans
from maquette.scans.facing import guess_facing
from maquette.scans.place import Placement, place
from maquette.scans.read import Intrinsics, Scan, find_scans, read_intrinsics, read_scan

__all__ = ["COUNT", "Intrinsics", "Placement", "Scan", "find_scans", "guess_facing", "place", "read_intrinsics",
           "read_scan", "scan", "scan_cameras", "scans"]
