"""`maquette studio`: the page in which a drawing becomes an object."""

from maquette.cli.options import writes


@writes
def studio(export: str, json: bool = False) -> int:
    """Write a page to draw in, as files for a web host.

    The page makes an object of a drawing by itself: there is no server behind it, and it works offline.

    Args:
        export: Folder for the files: for any web host, or a static Hugging Face Space.
        json: Print one JSON document.

    Examples:
        maquette studio --export site/
        maquette studio --export site/ --overwrite
    """
    from maquette.cli.show import show_files
    from maquette.studio.export import export_studio

    return show_files(export_studio(export), json, "writing")
