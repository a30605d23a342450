"""From pencil and camera to arrays, and back to the pen: picture intake, plotter files and the drawing loop."""
