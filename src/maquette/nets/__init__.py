"""Networks and their parts; what they are trained by is in `maquette.systems`.

`volume` has the networks on occupancy grids, `image_encoder` those that read views, `efficientnet` the one whose
weights come from ImageNet, `pixel_aligned` and `view_volume` what corrects a shape by a view; `occupancy_fields`,
`radiance_field` and `patches` are those of systems that render images; `augment` varies images; `layers`,
`image_layers` and `types` are shared. Read `volume` first.
"""
