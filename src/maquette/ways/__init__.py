"""Ways from a picture to an object, and how well an object obeys the picture.

`outline` finds what a drawing or a photo shows as one region, `silhouette` what an object covers in a camera's picture,
`fitting` the camera from which the two agree best, `obeying` mends the object where they still differ; `verdict` says
how sure one may be of the result, and `choosing` which way is taken. Nothing here knows a network.
"""
