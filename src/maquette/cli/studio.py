"""`maquette studio`: the page in which a drawing becomes an object."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from maquette.cli.options import writes
from maquette.plotting.settings import Machine


@writes
def studio(
    export: str = "",
    port: int = 8765,
    models: tuple[str, ...] = (),
    runs: str = "runs",
    plotters: tuple[str, ...] = (),
    cameras: tuple[int, ...] = (),
    browser: bool = True,
    machine: Annotated[Machine, arg(name="")] = Machine(),
    json: bool = False,
) -> int:
    """Open a page to draw in, or write it as files for a host.

    The page is served at 127.0.0.1, for this computer alone, until Ctrl-C. With --export it is written as files: it
    then makes an object of a drawing by itself, with no server behind it, and works offline.

    Args:
        export: Folder for the files: for any web host, or a static Hugging Face Space.
        port: Of this computer; 0 for any that is free.
        models: Models to choose from beside the bundled ones: folders, runs, or owner/name on the Hugging Face Hub.
        runs: Folder of runs: their curves are shown, and their models are offered.
        plotters: Serial ports of GRBL machines that may draw: /dev/ttyUSB0, COM3.
        cameras: Numbers of cameras of this computer.
        browser: Open the page in the browser.
        json: Print one JSON document.

    Examples:
        maquette studio
        maquette studio --export site/
        maquette studio --plotters /dev/ttyUSB0 --cameras 0 --models runs/mine
    """
    from maquette.cli.options import say

    if export:
        from maquette.cli.show import show_files
        from maquette.studio.export import export_studio

        return show_files(export_studio(export), json, "writing")
    import json as json_module

    from maquette.studio.server.serve import Address, serve
    from maquette.studio.server.settings import Offer

    def tell(address: Address) -> None:
        if json:
            print(json_module.dumps({"link": address.link, "port": address.port}), flush=True)
        else:
            say(f"the studio is open at {address.link}")
            say("Ctrl-C ends it")

    serve(Offer(models, Path(runs) if runs else None, plotters, machine, cameras), port, browser, tell)
    return 0
