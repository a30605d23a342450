"""The exported page behind a tiny server, and a real browser."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Server:
    """Files of a folder at an address of this machine, until it is stopped."""

    def __init__(self, folder: Path):
        handler = functools.partial(_Quiet, directory=folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder that `maquette studio --export` writes."""
    from maquette.studio.export import MODEL, MODELS, export_studio

    if not (MODELS / MODEL / "picture.onnx").is_file():
        pytest.skip("the bundled model has no graph: maquette models export")
    folder = tmp_path_factory.mktemp("studio") / "site"
    list(export_studio(folder))
    return folder


@pytest.fixture(scope="session")
def chromium():
    """A browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no chromium is installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(site):
    running = Server(site)
    yield running
    running.stop()


@pytest.fixture
def opened(chromium, server):
    """Opens the page in a fresh profile; at the end of the test its console must have been silent."""
    contexts, said = [], []

    def open_page(**options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
