"""The studio's server as a user starts it, and requests as its page sends them."""

import http.client
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class LocalStudio:
    """A server in a process of its own, in a folder, until `stop`."""

    def __init__(self, folder: Path, *words: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maquette", "studio", "--port", "0", "--no-browser", "--json", *words], cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])})
        told = self.process.stdout.readline()
        assert told, self.process.stderr.read()
        self.link, self.port = json.loads(told)["link"], json.loads(told)["port"]
        self.token = self.link.partition("#token=")[2]

    @property
    def own(self) -> dict[str, str]:
        """The headers of a request of the page."""
        return {"x-maquette-token": self.token, "origin": f"http://127.0.0.1:{self.port}",
                "sec-fetch-site": "same-origin"}

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        """Status, headers and bytes of an answer; the page's own headers if none are given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, self.own if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def error(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Status and line of a refusal."""
        status, _, data = self.ask(method, path, body)
        return status, json.loads(data)["error"]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, unless it has ended; the exit status. `said` is then what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            _, self.said = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, self.said = self.process.communicate()
        return self.process.returncode


def packed(*pictures: bytes) -> bytes:
    """Pictures in one body."""
    return b"".join(struct.pack("<I", len(one)) + one for one in pictures)


def told_of(data: bytes) -> dict:
    """What an answer with a mesh says."""
    length = struct.unpack_from("<I", data)[0]
    return json.loads(data[4 : 4 + length])
