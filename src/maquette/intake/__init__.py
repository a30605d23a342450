"""Intake: from the picture that a user has to what the networks and the relief expect.

`pickup` frames the object of any picture in a square; read it first. `page_capture` takes the drawing off a photo of a
page: `sheet_detection` finds the paper, `lighting` its light and the lead on it, `ruling` its printed lines. `line_art`
tells drawings from photos, `background` finds an object on a plain background, and `sources` gets a picture from a
camera, a film or a folder.
"""
