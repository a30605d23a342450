"""The names of what makes shapes without any files; recipes and sources both know them."""

MAKERS = ("furniture", "solids")
"""The sources that need no files."""
FURNITURE_CLASSES = ("chair", "table", "desk", "bed", "sofa", "bookcase", "cabinet", "monitor", "toilet", "bathtub",
                   "lamp", "cup", "car")
"""The classes that the furniture maker can make."""
