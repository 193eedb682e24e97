"""A stand-in for conda, for tests where no conda and no channel can be had: NOT conda.

It answers the calls that Snakemake makes and leaves the work to py-rattler (build/deployment),
which solves, fetches and links real conda packages: from an explicit pin, whose checksums are
compared, or from a yaml, for any channel of which STAND_IN_CHANNEL is taken, a folder made by
`local_channel.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "build/deployment"))

import rattler  # noqa: E402 (found there)

HOME = Path(os.environ["STAND_IN_HOME"])
VERSION = "conda 24.7.1"  # the oldest that Snakemake takes


def pinned(file: Path) -> list[rattler.RepoDataRecord]:
    """Return the packages of an explicit pin; one whose checksum differs ends the process."""
    records = []
    for line in file.read_text().splitlines():
        url, _, md5 = line.partition("#")
        if "://" not in url:
            continue
        path = Path(urlsplit(url).path)
        if not url.startswith("file://") or not path.is_file():
            sys.exit(f"stand-in for conda: HTTP 000 CONNECTION FAILED for url <{url}>")
        if hashlib.md5(path.read_bytes()).hexdigest() != md5:  # noqa: S324 - what conda's pins have
            sys.exit(f"stand-in for conda: ChecksumMismatchError: {url} is not {md5}")
        index = rattler.IndexJson.from_package_archive(path)
        about = {"name": index.name, "version": str(index.version), "build": index.build}
        about |= {"build_number": index.build_number, "subdir": "linux-64"}
        record = rattler.PackageRecord(**about, depends=index.depends)
        records.append(rattler.RepoDataRecord(record, path.name, url, path.parents[1].as_uri()))
    return records


async def create(file: Path, prefix: Path) -> None:
    """Install a pin or a yaml into a new environment."""
    if file.name.endswith("pin.txt"):
        records = pinned(file)
    else:
        channel = rattler.Channel(Path(os.environ["STAND_IN_CHANNEL"]).as_uri())
        specs = [word.replace(" ", "") for word in yaml.safe_load(file.read_text())["dependencies"]]
        records = await rattler.solve([channel], specs, platforms=["linux-64", "noarch"])
    await rattler.install(
        records, target_prefix=prefix, cache_dir=HOME / "cache", show_progress=False
    )


def main() -> None:
    """Answer one call."""
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        sys.stdout.write(VERSION + "\n")
    elif words[:1] == ["info"]:
        sys.stdout.write(json.dumps({"conda_prefix": str(HOME), "platform": "linux-64"}))
    elif words[:1] == ["config"]:
        sys.stdout.write(json.dumps({"get": {"channel_priority": "strict"}}))
    elif words[:1] == ["clean"]:
        pass  # there is nothing to clean
    elif "create" in words:
        parser = argparse.ArgumentParser()
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        given, _ = parser.parse_known_args(words)
        asyncio.run(create(given.file, given.prefix))
        # py-rattler's threads may outlive the interpreter, which then aborts now and then.
        os._exit(0)
    else:
        sys.exit(f"stand-in for conda: no such call: {words}")


if __name__ == "__main__":
    main()
