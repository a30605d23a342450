"""Shapes, surfaces and lines, and the sums that are done on them. No pictures, no networks.

- `shape`: one object as an occupancy grid; read this first
- `voxelise`, `resample`: meshes to grids, and grids to other resolutions
- `mesh`, `repair`, `printability`: grids to surfaces, watertight ones, and what a printer needs to know
- `plain`, `marching`, `cutting`, `parts`, `filters`, `cells`: a mesh of two arrays and the sums of the way from voxels
  to a file, by NumPy and OpenCV alone, since trimesh takes longer to load than this way takes
- `size`: what a printer makes of a size in millimetres
- `overlap`, `curvature`, `points`: measures on grids and surfaces
- `strokes`, `paper`: lines on a page, and the sizes of pages
- `thinning`, `contours`: the centre lines of what is drawn, and the lines along which a picture has a value
"""
