"""Datasets of images: a folder of pictures becomes a dataset of pixels of one size, and fast access to its rows.

`prepare` makes one out of pictures (`files` finds and opens them, `crop` brings them to one size), `render` out of
shapes (`true_shapes` keeps these beside it). `format` says what the folder holds and opens it; `show` draws some of it.
`audit` looks for what is wrong with a folder of pictures: `measure` looks at one, `compare` at all, `clean` writes a
cleaned copy, `report` a page. Read `format`, then `prepare`.
"""

from maquette.datasets.images.crop import ImageOptions, crop_box, fit, parse_crop, parse_size
from maquette.datasets.images.format import ImageInfo, OpenedImages, is_images, open_images
from maquette.datasets.images.prepare import prepare_images, split_by_name
from maquette.datasets.images.show import show_images

__all__ = ["ImageInfo", "ImageOptions", "OpenedImages", "crop_box", "fit", "is_images", "open_images", "parse_crop",
           "parse_size", "prepare_images", "show_images", "split_by_name"]
