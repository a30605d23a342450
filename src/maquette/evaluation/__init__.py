"""Measurements of trained models: reconstructed and generated shapes, generated images, fields, reader studies.

`dispatch` gives a loaded model to the right measurement and is what `maquette.api` calls. `report.Measured` is what
every measurement ends with. `shapes/`, `images/`, `fields/` and `reader_study/` hold the measurements by what is
measured; `feature_distances` holds the Fréchet and kernel distances that several of them use. Read `report` first,
then `shapes/modelnet`, the simplest measurement.
"""
