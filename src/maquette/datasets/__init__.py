"""Datasets: shapes and images from any source, prepared once as a folder that training and evaluation read.

A source yields one `Item` for each shape (`sources`; `furniture` makes shapes from a seed). `prepare` turns items
into a folder of voxels, views and scans; `format` says what that folder holds and opens it; `audit` looks for what is
wrong with it. `images` does the same for pictures. `resumable` and `workers` are shared by both. Read `item`, then
`prepare`, then `format`.
"""

from maquette.datasets.item import Item

__all__ = ["Item"]
