"""Rays through fields, as functions of tensors, without any network.

`sampling` has cameras, patches and rays; `surface` the search for a surface along a ray, samples about it, and volume
rendering; `packing` leaves out rays that miss the object's cube; `schedules` has what changes in the course of a
training on rays. Read `sampling` first.
"""
