"""Measurements of generated images beside real ones, with controls and a report.

`evaluate` runs all of them. `sets` opens the real images and draws the noise controls; `measures` repeats every measure
over random subsets. The measures: `pyramid` (sliced Wasserstein distance), `spectrum`, `ssim`, `features` and
`inception` (for FID and KID), `nearest` (copies of training images). `options` says how much is measured; `page` and
`plots` make the report. Read `evaluate` first.
"""
