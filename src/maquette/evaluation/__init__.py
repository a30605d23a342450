"""Measures: of shapes against shapes, and on the benchmarks of the papers."""
