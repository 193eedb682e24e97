"""A conda channel in a folder, whose two packages are this machine's Python and pip: a stand-in.

The packages have the names and versions that the pins have, and are real ones in their format; what
they hold is a link to the Python that runs the tests, in the layout of a virtual environment, and
the pip of build/deployment. pip has a second build, newer than the pinned one, so that an
environment that was solved from a yaml differs from one that was installed from the pin.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "build/deployment"
SITE = "lib/python3.11/site-packages"
PINNED, NEWER = 0, 1  # build numbers


def make(folder: Path) -> str:
    """Make the channel and return an explicit pin of it."""
    (folder / "noarch").mkdir(parents=True)
    base = Path(sys.base_prefix) / "bin"
    settings = f"home = {base}\ninclude-system-site-packages = false\nversion = 3.11\n"
    python: dict[str, bytes | Path] = {
        "bin/python": base / "python3.11",
        "bin/python3.11": base / "python3.11",
        "pyvenv.cfg": settings.encode(),
    }
    parts = [TOOLS / "pip", *TOOLS.glob("pip-*.dist-info")]
    files = [path for part in parts for path in part.rglob("*") if path.is_file()]
    pip: dict[str, bytes | Path] = {
        f"{SITE}/{path.relative_to(TOOLS)}": path.read_bytes()
        for path in files
        if path.suffix != ".pyc"
    }
    packages = [
        package(folder, "python", "3.11.15", PINNED, python),
        package(folder, "pip", "26.0.1", PINNED, pip, ["python >=3.11,<3.12"]),
    ]
    package(folder, "pip", "26.0.1", NEWER, pip, ["python >=3.11,<3.12"])
    index(folder)
    pins = [f"{path.as_uri()}#{digest(path.read_bytes(), 'md5')}" for path in packages]
    return "\n".join(["@EXPLICIT", *pins, ""])


def package(
    channel: Path,
    name: str,
    version: str,
    number: int,
    files: dict[str, bytes | Path],
    depends: list[str] | None = None,
) -> Path:
    """Write a package of files (bytes) and links (paths), and return its path."""
    build = f"standin_{number}"
    about = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "depends": depends or [],
        "subdir": "linux-64",
        "timestamp": 1_767_225_600_000,
    }
    paths = [entry(path, content) for path, content in sorted(files.items())]
    described: dict[str, Any] = {"info/index.json": about}
    described["info/paths.json"] = {"paths": paths, "paths_version": 1}
    texts = {path: json.dumps(value).encode() for path, value in described.items()}
    target = channel / "linux-64" / f"{name}-{version}-{build}.tar.bz2"
    target.parent.mkdir(exist_ok=True)
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        for path, content in {**texts, **files}.items():
            add(archive, path, content)
    return target


def entry(path: str, content: bytes | Path) -> dict[str, Any]:
    """Return what paths.json says of a file."""
    if isinstance(content, Path):
        return {"_path": path, "path_type": "softlink", "sha256": "0" * 64, "size_in_bytes": 0}
    return {
        "_path": path,
        "path_type": "hardlink",
        "sha256": digest(content, "sha256"),
        "size_in_bytes": len(content),
    }


def add(archive: tarfile.TarFile, path: str, content: bytes | Path) -> None:
    """Add a file or a link."""
    member = tarfile.TarInfo(path)
    member.mode = 0o644
    if isinstance(content, Path):
        member.type, member.linkname = tarfile.SYMTYPE, os.fspath(content)
        archive.addfile(member)
    else:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def index(folder: Path) -> None:
    """Write the channel's index."""
    for subdir in ("linux-64", "noarch"):
        packages = {}
        for path in sorted((folder / subdir).glob("*.tar.bz2")):
            with tarfile.open(path) as archive:
                about = archive.extractfile("info/index.json")
                assert about
                packages[path.name] = json.load(about)
            content = path.read_bytes()
            packages[path.name] |= {"size": len(content), "md5": digest(content, "md5")}
            packages[path.name] |= {"sha256": digest(content, "sha256")}
        repodata = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}}
        (folder / subdir / "repodata.json").write_text(json.dumps(repodata))


def digest(content: bytes, kind: str) -> str:
    """Return a checksum in hexadecimal digits."""
    return hashlib.new(kind, content, usedforsecurity=False).hexdigest()
