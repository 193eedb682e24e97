"""A stand-in for the Hugging Face hub on loopback: the few endpoints that a snapshot needs.

It speaks what the public client asks (a tree of a commit, and files by HEAD and by ranges of GET)
for one model folder. Files of weights are large files with a sha256, as on the hub; others have
git's id. It is not the hub: no tokens, no redirects to another store, no Xet.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Hub(http.server.ThreadingHTTPServer):
    """Serves `folder` as `name` at `commit`; `requests` are the paths that were asked for.

    `broken` files are sent with another first byte; `cut` ones end after so many bytes, once.
    """

    def __init__(self, folder: Path, name: str, commit: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.name, self.commit = folder, name, commit
        self.requests: list[str] = []
        self.broken: set[str] = set()
        self.cut: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def entry(self, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        blob = hashlib.sha1(
            b"blob %d\0" % len(content) + content, usedforsecurity=False
        ).hexdigest()
        found: dict[str, Any] = {"type": "file", "path": path.name, "size": len(content)}
        if path.suffix != ".safetensors":
            return {**found, "oid": blob}
        sha256 = hashlib.sha256(content).hexdigest()
        lfs = {"oid": sha256, "size": len(content), "pointerSize": 134}
        return {**found, "oid": "0" * 40, "lfs": lfs}


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        hub, path = self.server, urllib.parse.urlsplit(self.path).path
        hub.requests.append(f"{self.command} {path}")
        tree = f"/api/models/{hub.name}/tree/{hub.commit}"
        files = f"/{hub.name}/resolve/{hub.commit}/"
        if path == tree:
            listed = [hub.entry(each) for each in sorted(hub.folder.iterdir())]
            self.send(json.dumps(listed).encode(), {"Content-Type": "application/json"})
        elif path.startswith(files) and (hub.folder / Path(path).name).is_file():
            self.send_file(hub.folder / Path(path).name)
        else:
            self.send(b"{}", {"X-Error-Code": "RepoNotFound"}, status=404)

    def send_file(self, path: Path) -> None:
        entry, content = self.server.entry(path), path.read_bytes()
        if path.name in self.server.broken:
            content = bytes([content[0] ^ 1]) + content[1:]
        etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": self.server.commit}
        asked, status = self.headers.get("Range"), 200
        if asked and self.command == "GET":
            first = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            content, status = content[first:], 206
        self.send(content, {**headers, "Accept-Ranges": "bytes"}, status, path.name)

    def send(
        self, content: bytes, headers: dict[str, str], status: int = 200, name: str = ""
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        most = self.server.cut.get(name)
        self.wfile.write(content if most is None else content[:most])
        if most is not None:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(folder: Path, name: str, commit: str) -> Iterator[Hub]:
    """Serve a model folder until the block ends."""
    hub = Hub(folder, name, commit)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
