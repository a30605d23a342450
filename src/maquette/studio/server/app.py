"""The addresses of the studio's server; `guard` stands before all of them."""

import logging
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import maquette
from maquette.errors import UserError
from maquette.plotting.drawing import Drawing
from maquette.studio.export import page_files
from maquette.studio.server import work
from maquette.studio.server.fields import (
    DrawingFields,
    FileFields,
    NoFields,
    ObjectFields,
    PlotFields,
    PressFields,
    ReliefFields,
    ScanFields,
    fields,
)
from maquette.studio.server.guard import Guard, TooLarge
from maquette.studio.server.jobs import Busy, Gone, Jobs
from maquette.studio.server.plotters import plotters_at
from maquette.studio.server.settings import Models, Offer
from maquette.training.monitor import runs as monitor
from maquette.training.monitor.log import SAMPLES, picture_step

DRAWINGS_KEPT = 64
HANDED_KEPT, HANDED_S = 8, 600.0
"""Files that are kept for other programs, and for how many seconds each."""
_KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8",
}
_BYTES = "application/octet-stream"
_FILES = {"svg": "image/svg+xml", "gcode": "text/plain; charset=utf-8", "hpgl": "text/plain; charset=utf-8"}
_log = logging.getLogger("maquette.studio")
Answer = Callable[[Request], Awaitable[Response]]


class Studio:
    """The server's state, and what answers at each address.

    Args:
        offer: What the page may choose from.
        port: At which it is served.
        token: Which the page must send.

    Attributes:
        app: The ASGI application.
    """

    def __init__(self, offer: Offer, port: int, token: str):
        self.offer, self.port, self.models, self.jobs = offer, port, Models(offer), Jobs()
        self._handed: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self.plotters = plotters_at(offer.plotters, offer.machine)
        self._drawings: OrderedDict[int, Drawing] = OrderedDict()
        self._made = 0
        self._page = page_files()
        api: list[tuple[str, str, Answer]] = [
            ("GET", "about", self.about),
            ("POST", "object", self.object),
            ("POST", "scan", self.scan),
            ("POST", "relief", self.relief),
            ("POST", "page", self.page),
            ("POST", "picture", self.picture),
            ("POST", "camera/{number:int}", self.camera),
            ("POST", "drawing", self.drawing),
            ("GET", "drawing/{number:int}", self.file),
            ("GET", "plotters/{number:int}", self.plotter),
            ("POST", "plotters/{number:int}", self.plot),
            ("POST", "plotters/{number:int}/press", self.press),
            ("POST", "handed", self.hand),
            ("GET", "runs", self.runs),
            ("GET", "runs/{number:int}", self.run),
            ("GET", "runs/{number:int}/samples", self.samples),
        ]
        routes = [Route(f"/api/{path}", _told(answer), methods=[method]) for method, path, answer in api]
        routes.append(Route("/handed/{key}/maquette.3mf", self.handed, methods=["GET", "HEAD"]))
        routes.append(Route("/{name:path}", self.static, methods=["GET", "HEAD"]))
        self.app = Guard(Starlette(routes=routes), port, token)

    async def static(self, request: Request) -> Response:
        """A file of the page, by its exact name."""
        name = request.path_params["name"] or "index.html"
        data = self._page.get(name)
        if data is None:
            return JSONResponse({"error": "there is nothing at this address"}, 404)
        return Response(data, media_type=_KINDS.get(Path(name).suffix, _BYTES))

    async def about(self, request: Request) -> Response:
        """What the server offers."""
        fields(NoFields, request.query_params.multi_items())
        return JSONResponse({
            "version": maquette.__version__, "models": self.models.told(), "cameras": list(self.offer.cameras),
            "plotters": [one.told() for one in self.plotters], "runs": len(self.models.runs()),
        })

    async def object(self, request: Request) -> Response:
        """A picture, or several of one thing, to an object."""
        asked = fields(ObjectFields, request.query_params.multi_items())
        body = await request.body()
        return Response(await self._do(request, lambda: work.an_object(self.models, body, asked)), media_type=_BYTES)

    async def scan(self, request: Request) -> Response:
        """A scan to a whole object."""
        asked = fields(ScanFields, request.query_params.multi_items())
        body = await request.body()
        return Response(await self._do(request, lambda: work.a_whole(self.models, body, asked)), media_type=_BYTES)

    async def relief(self, request: Request) -> Response:
        """A flat drawing to a solid."""
        asked = fields(ReliefFields, request.query_params.multi_items())
        body = await request.body()
        return Response(await self._do(request, lambda: work.a_relief(body, asked)), media_type=_BYTES)

    async def page(self, request: Request) -> Response:
        """A photograph of paper to what is drawn on it."""
        fields(NoFields, request.query_params.multi_items())
        body = await request.body()
        return Response(await self._do(request, lambda: work.a_page(body)), media_type="image/png")

    async def picture(self, request: Request) -> Response:
        """A picture that the browser cannot read."""
        fields(NoFields, request.query_params.multi_items())
        body = await request.body()
        return Response(await self._do(request, lambda: work.a_picture(body)), media_type="image/png")

    async def camera(self, request: Request) -> Response:
        """A picture of a camera of this computer."""
        fields(NoFields, request.query_params.multi_items())
        number = self._one(self.offer.cameras, request)
        return Response(await self._do(request, lambda: work.a_frame(number)), media_type="image/png")

    async def drawing(self, request: Request) -> Response:
        """An object or a picture to lines for a pen."""
        asked = fields(DrawingFields, request.query_params.multi_items())
        body = await request.body()
        made = await self._do(request, lambda: work.a_drawing(body, asked, self.offer.machine))
        self._made += 1
        self._drawings[self._made] = made
        while len(self._drawings) > DRAWINGS_KEPT:
            self._drawings.popitem(last=False)
        return JSONResponse({"drawing": self._made, **work.drawing_facts(made)})

    async def file(self, request: Request) -> Response:
        """A drawing as a file."""
        asked = fields(FileFields, request.query_params.multi_items())
        drawing = self._drawn(request.path_params["number"])
        data = await self._do(request, lambda: work.drawing_file(drawing, asked.kind, self.offer.machine))
        return Response(data, media_type=_FILES[asked.kind])

    async def plotter(self, request: Request) -> Response:
        """What a plotter does."""
        fields(NoFields, request.query_params.multi_items())
        return JSONResponse(self._one(self.plotters, request).told())

    async def plot(self, request: Request) -> Response:
        """Begin to draw on a plotter of the list."""
        asked = fields(PlotFields, request.query_params.multi_items())
        plotter = self._one(self.plotters, request)
        plotter.start(self._drawn(asked.drawing))
        return JSONResponse(plotter.told())

    async def press(self, request: Request) -> Response:
        """Pause, go on or stop."""
        asked = fields(PressFields, request.query_params.multi_items())
        plotter = self._one(self.plotters, request)
        plotter.press(asked.key)
        return JSONResponse(plotter.told())

    async def hand(self, request: Request) -> Response:
        """Keep a file for a slicer of this computer; its address holds a key that cannot be guessed."""
        fields(NoFields, request.query_params.multi_items())
        data = await request.body()
        if not data.startswith(b"PK"):
            raise UserError("a 3MF file is handed on, and this is none")
        key = secrets.token_urlsafe(24)
        self._handed[key] = (time.monotonic(), data)
        while len(self._handed) > HANDED_KEPT:
            self._handed.popitem(last=False)
        return JSONResponse({"address": f"http://127.0.0.1:{self.port}/handed/{key}/maquette.3mf"})

    async def handed(self, request: Request) -> Response:
        """A file for another program, for a while."""
        since, data = self._handed.get(request.path_params["key"], (0.0, b""))
        if not data or time.monotonic() - since > HANDED_S:
            return JSONResponse({"error": "there is nothing at this address"}, 404)
        return Response(data, media_type="model/3mf")

    async def runs(self, request: Request) -> Response:
        """The runs, each with its number."""
        fields(NoFields, request.query_params.multi_items())
        runs = self.models.runs()
        told = await run_in_threadpool(lambda: [monitor.describe(run) for run in runs])
        return JSONResponse([{"number": number, **_short(one)} for number, one in enumerate(told)])

    async def run(self, request: Request) -> Response:
        """The curves of a run."""
        fields(NoFields, request.query_params.multi_items())
        run = self._one(self.models.runs(), request)
        told = await run_in_threadpool(lambda: monitor.describe(run))
        curves = {name: {"steps": steps, "values": [value if abs(value) < 1e300 else None for value in values]}
                  for name, (steps, values) in told["curves"].items()}
        return JSONResponse({**_short(told), "curves": curves})

    async def samples(self, request: Request) -> Response:
        """The newest sheet of samples of a run."""
        fields(NoFields, request.query_params.multi_items())
        folder = self._one(self.models.runs(), request) / SAMPLES
        sheets = {path: picture_step(path) for path in folder.glob("*.png")} if folder.is_dir() else {}
        dated = [(step, path) for path, step in sheets.items() if step is not None and not path.is_symlink()]
        if not dated:
            return Response(status_code=204)
        return Response(max(dated)[1].read_bytes(), media_type="image/png")

    def end(self) -> None:
        """Take no more jobs, and lift every pen."""
        self.jobs.end()
        for plotter in self.plotters:
            plotter.end()

    async def _do(self, request: Request, job: Callable[[], Any]) -> Any:
        return await self.jobs.do(job, request.is_disconnected)

    def _drawn(self, number: int) -> Drawing:
        if number not in self._drawings:
            raise UserError("this drawing is no longer there", hint="draw it again")
        return self._drawings[number]

    @staticmethod
    def _one(things: Any, request: Request) -> Any:
        number = request.path_params["number"]
        if number >= len(things):
            raise UserError("there is none of this number", number)
        return things[number]


def _short(told: dict[str, Any]) -> dict[str, Any]:
    """Of a run what its line in the list says."""
    return {name: told[name] for name in ("name", "system", "step", "steps", "metric", "value", "state")}


def _told(answer: Answer) -> Answer:
    """The answer, and one line of JSON for what went wrong."""
    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 400)
        except TooLarge as error:
            return JSONResponse({"error": str(error)}, 413, {"connection": "close"})
        except Busy:
            return JSONResponse({"error": "too many are waiting", "key": "busy"}, 503)
        except (Gone, ClientDisconnect):
            return Response(status_code=499)
        except (MemoryError, struct.error, ValueError, RuntimeError) as error:
            _log.error("%s: %s: %s", request.url.path, type(error).__name__, error)
            return JSONResponse({"error": "something went wrong in the server", "key": "broken"}, 500)

    return told
