"""`maquette examples`: the example pictures, copied to where they can be tried."""


def examples(out: str = "examples", json: bool = False) -> int:
    """Copy the example pictures, to try the commands on.

    A file that is there already is never written over.

    Args:
        out: Folder for the copies.
        json: Print one JSON document.

    Examples:
        maquette examples
        maquette examples --out pictures/
    """
    from maquette.cli.show import show_files
    from maquette.examples import copy_examples

    return show_files(copy_examples(out), json, "copying")
