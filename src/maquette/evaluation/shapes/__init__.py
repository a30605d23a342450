"""Measurements of shapes, each an `evaluate_...` generator that ends with a `Measured` table.

`modelnet` and `scans` measure reconstructions of a test split, `ikea` those of photos (`alignment` is its search),
`generation` new shapes, `recognition` a critic's responses. `point_clouds` has the distances and set measures that
`generation` and the fields use, `table` the means by class. Read `modelnet` first.
"""
