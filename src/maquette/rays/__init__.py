"""Rays through fields, as functions of tensors, without any network.

`sampling` has cameras, patches and rays; `packing` leaves out the rays that miss the object's cube; `surface` has the
search for a surface along a ray, samples about it, and volume rendering; `schedules` has what changes in the course of
a training on rays. Read `sampling` first.
"""
