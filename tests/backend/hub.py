# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub of our own on the loopback address: real HTTP with ranges, which may cut a download off at any byte."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Hub(ThreadingHTTPServer):
    """Serves the files of `folder` as /OWNER/NAME/resolve/COMMIT/FILE. `cut` bytes after which a connection ends, if
    any; `altered`: a file whose last byte is another one. `answers` counts the files, or parts of them, that were asked
    for, `sent` their bytes."""

    def __init__(self, folder: Path, commit: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.commit = folder, commit
        self.next_cut: Callable[[], int | None] = lambda: None
        self.altered = ""
        self.answers = self.sent = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    @property
    def hub(self) -> Hub:
        assert isinstance(self.server, Hub)
        return self.server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        *_, commit, name = self.path.split("/")
        path = self.hub.folder / name
        if commit != self.hub.commit or not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        if name == self.hub.altered:
            data = data[:-1] + bytes([data[-1] ^ 1])
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if first else 200)
        for header, value in (
            ("X-Repo-Commit", commit),
            ("ETag", f'"{name}"'),
            ("Accept-Ranges", "bytes"),
            ("Content-Length", str(len(data) - first)),
        ):
            self.send_header(header, value)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body:
            cut = self.hub.next_cut()
            part = data[first:] if cut is None else data[first : first + cut]
            self.wfile.write(part)
            self.wfile.flush()
            self.hub.answers += 1
            self.hub.sent += len(part)
            self.close_connection = True


@contextmanager
def hub(folder: Path, commit: str) -> Iterator[Hub]:
    server = Hub(folder, commit)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
