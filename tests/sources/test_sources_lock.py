"""Files that nobody had seen: by git's name of their content, or by what is fetched first."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core import files
from limr.core.errors import InputError, IntegrityError
from limr.sources import lock as locks
from limr.sources import pinned

CONTENT = b"seen for the first time\n"
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT, usedforsecurity=False).hexdigest()
COMMIT = "c" * 40


class Folder:
    """A configuration with one file of each kind, and a mirror that has both."""

    def __init__(self, root: Path, url: str = "http://127.0.0.1:9") -> None:
        self.sources, self.lock = root / "config/sources.yaml", root / "config/sources.lock.yaml"
        self.mirror, self.output = root / "mirror", root / "out"
        self.entries: dict[str, dict[str, Any]] = {
            "blob": {"git_blob": BLOB},
            "first": {"first_use": True, "url": f"{url}/resolve/main/first"},
        }
        self.sources.parent.mkdir()
        self.mirror.mkdir()
        for name, entry in self.entries.items():
            shared = {"title": name, "url": f"{url}/{name}", "mirror": name, "licence": "MIT"}
            self.entries[name] = {**shared, **entry}
            (self.mirror / name).write_bytes(CONTENT)
        self.write()

    def write(self) -> None:
        self.sources.write_text(yaml.safe_dump(self.entries))

    def fetch(self, name: str, *, mirror: bool = True) -> None:
        source = pinned.load_sources(self.sources)[name]
        pinned.fetch(source, self.output, self.mirror if mirror else None)

    def refused(self, name: str, message: str) -> None:
        self.output.unlink(missing_ok=True)
        with pytest.raises(IntegrityError, match=message):
            self.fetch(name)
        assert not self.output.exists()
        assert not list(self.output.parent.glob(".out*"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_git_blob_is_gits_own_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    command = ["git", "hash-object", str(tmp_path / "file")]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert pinned.git_blob(tmp_path / "file") == theirs == BLOB


@pytest.mark.parametrize("name", ["blob", "first"])
def test_what_is_seen_first_is_told_locked_and_binds(
    folder: Folder, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pinned.load_sources(folder.sources)[name]
    folder.fetch(name)
    digest = hashlib.sha256(CONTENT).hexdigest()
    told = capsys.readouterr().err
    assert f"{name}: first use: sha256 {digest}, {len(CONTENT)} bytes" in told
    assert "Commit the lock" in told
    entry = yaml.safe_load(folder.lock.read_text())[name]
    assert (entry["sha256"], entry["bytes"], entry["revision"]) == (digest, len(CONTENT), None)
    after = pinned.load_sources(folder.sources)[name]
    assert (after.sha256, after.bytes) == (digest, len(CONTENT))
    assert after.pin == before.pin  # a job's setting: nothing reruns when a file is locked
    lock = folder.lock.read_bytes()
    folder.fetch(name)
    assert folder.lock.read_bytes() == lock
    assert capsys.readouterr().err == ""
    (folder.mirror / name).write_bytes(CONTENT.upper())
    found = hashlib.sha256(CONTENT.upper()).hexdigest()
    folder.refused(name, f"{name}: .* has sha256 {found}, expected {digest} .*sources.lock.yaml")


def test_another_blob_is_refused_and_not_locked(folder: Folder) -> None:
    (folder.mirror / "blob").write_bytes(b"another")
    found = pinned.git_blob(folder.mirror / "blob")
    folder.refused("blob", f"blob: .* is the git blob {found}, expected {BLOB}.* nothing was kept")
    assert not folder.lock.exists()
    (folder.mirror / "first").write_bytes(b"")
    folder.refused("first", "is empty")


def test_a_lock_of_another_file_is_refused(folder: Folder) -> None:
    folder.fetch("blob")
    folder.fetch("first")
    folder.entries["blob"]["git_blob"] = "0" * 40
    folder.write()
    with pytest.raises(InputError, match=r"'blob': .* was locked, and .* has another file"):
        pinned.load_sources(folder.sources)
    del folder.entries["blob"]
    folder.write()
    with pytest.raises(InputError, match="'blob'"):
        pinned.load_sources(folder.sources)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("first: [", "not valid YAML"),
        ("", "lock"),
        ("first: {sha256: 00}", "lock"),
        ("first: {url: u, pin: {}, sha256: " + "g" * 64 + ", bytes: 1}", "sha256"),
        ("first: {url: u, pin: {}, sha256: '" + "0" * 64 + "', bytes: 0}", "bytes"),
    ],
)
def test_a_broken_lock_is_refused(folder: Folder, text: str, message: str) -> None:
    folder.lock.write_text(text)
    with pytest.raises(InputError, match=message):
        pinned.load_sources(folder.sources)


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the hub does: a redirect that names the commit, then the file."""

    asked: list[str] = []  # noqa: RUF012 (of the test that runs)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/resolve/"):
            self.send_response(302)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Location", "/stored")
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Hub.asked.clear()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_revision_is_locked_and_asked_for_from_then_on(tmp_path: Path, hub: str) -> None:
    folder = Folder(tmp_path, hub)
    folder.fetch("first", mirror=False)
    assert yaml.safe_load(folder.lock.read_text())["first"]["revision"] == COMMIT
    folder.fetch("first", mirror=False)
    assert Hub.asked == ["/resolve/main/first", "/stored", f"/resolve/{COMMIT}/first", "/stored"]


def test_two_jobs_lock_their_files_at_once(folder: Folder) -> None:
    sha = files.sha256(folder.mirror / "first")
    entry = {"url": "u", "pin": {}, "sha256": sha, "bytes": 1, "revision": None}
    names = [f"file-{n}" for n in range(8)]
    threads = [
        threading.Thread(target=locks.add, args=(folder.lock, name, entry)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(locks.read(folder.lock)) == names
