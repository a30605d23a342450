"""What is said of a command's parameter besides its type: how it is called, and that it needs no option's name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Stands in `Annotated[type, Mark(...)]`.

    Attributes:
        metavar: What stands for its value in help; empty for the parameter's name.
        name: The option's name, without dashes; None for the parameter's own, empty for the keys of a dataclass
            without a word before them.
        positional: Whether its value stands alone, without an option's name.
        bare: The value where the option is named without one; empty where it needs one.
    """

    metavar: str = ""
    name: str | None = None
    positional: bool = False
    bare: str = ""


POSITIONAL = Mark(positional=True)
"""A value without an option's name."""
