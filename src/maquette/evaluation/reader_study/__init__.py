"""Reader studies: can people tell a model's images from real ones?

`study` writes the study, `page` is its HTML page with one image at a time, `score` reads the readers' answers and
computes accuracy, d' and agreement. Read `study` first.
"""
