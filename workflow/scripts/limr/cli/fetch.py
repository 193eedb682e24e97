"""`limr fetch`: what studies need goes into a folder, for a machine without a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from limr.core.errors import InputError

if TYPE_CHECKING:
    from limr.study.study import Study

HELP = "fetch all that studies need into a mirror folder, for a machine without a network"
PARTS = ("data", "models", "packages")
EPILOG = """\
Files that are there are left alone: a second run fetches nothing, an interrupted one continues.
Where LIMR_MIRROR names another mirror, data files are copied from there. Run this in the project's
folder. docs/air-gapped.md has the rest. Exit codes: 0 fine, 1 --check found faults, 2 bad usage, or
something cannot be fetched.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from limr.sources.mirror_packages import ENVIRONMENTS

    parser.epilog = EPILOG
    parser.add_argument("mirror", metavar="MIRROR", type=Path, help="the folder")
    parser.add_argument("studies", metavar="STUDY.yaml", type=Path, nargs="*", help="the studies")
    parser.add_argument(
        "--environment",
        action="append",
        choices=ENVIRONMENTS,
        help="packages of this environment; may be repeated (dev, which `make setup` makes, and "
        "those of the studies' engines)",
    )
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part alone; may be repeated (all)"
    )
    parser.add_argument(
        "--check", action="store_true", help="fetch nothing; compare every file with SHA256SUMS"
    )


def run(args: argparse.Namespace) -> int:
    """Fill or check the mirror.

    Raises:
        InputError: a study is refused, or something cannot be fetched.
    """
    if args.check:
        return check(args.mirror)
    studies = [_load(path) for path in args.studies]
    if not studies and not args.environment:
        raise InputError("name the studies, such as config/config.yaml, or an --environment.")
    with _alone(args.mirror):
        fetched = fill(args.mirror, studies, args.environment, args.only or PARTS)
    for study in studies:
        for path in own_files(study):
            _say(f"{study.where}: {path} is a file of your own: carry it with the project.")
    _say(f"{args.mirror}: {fetched} fetched, the rest was there." if fetched else "Nothing to do.")
    return 0


def check(mirror: Path) -> int:
    """Compare a mirror with its list; return the exit code."""
    from limr.sources import mirror as contents

    found = list(contents.faults(mirror))
    for line in found:
        _say(line)
    verdict = f"{len(found)} faults" if found else "nothing wrong"
    _say(f"{mirror}: {len(contents.read(mirror)):,} files listed, {verdict}.")
    return 1 if found else 0


def fill(
    mirror: Path, studies: list[Study], environments: list[str] | None, parts: tuple[str, ...]
) -> int:
    """Fetch what studies need; return how many files, models and packages were fetched.

    The list is written after every model and every few packages, so that an interrupted run can
    continue.
    """
    from limr.models.pretrained import mirror as mirror_models
    from limr.sources import mirror as contents
    from limr.sources import mirror_packages

    listed = contents.read(mirror)

    def save() -> None:
        if listed != contents.read(mirror):
            contents.write(mirror, listed)

    fetched = _data(mirror, studies, listed) if "data" in parts else 0
    save()
    for base in _bases(studies) if "models" in parts else ():
        if mirror_models.fetch(base, mirror, listed):
            fetched += 1
            _say(f"model {base['model']}")
        save()
    for name in (environments or _environments(studies)) if "packages" in parts else ():
        n = mirror_packages.fetch(name, Path("envs"), mirror, listed, save, _say)
        if n:
            fetched += n
            _say(f"environment {name}: {n} packages")
    return fetched


def _data(mirror: Path, studies: list[Study], listed: dict[str, str]) -> int:
    """Fetch the pinned files, from another mirror where LIMR_MIRROR names one."""
    import os

    from limr.core import files
    from limr.sources import mirror as contents
    from limr.sources import pinned

    configured = os.environ.get(contents.VARIABLE)
    other = Path(configured) if configured else None
    if other is not None and other.resolve() == mirror.resolve():
        other = None
    known, fetched = pinned.load_sources("config/sources.yaml"), 0
    for name in dict.fromkeys(name for study in studies for name in study.files()):
        source = pinned.find(known, name)
        target = mirror / source.mirror
        if not target.is_file() or files.sha256(target) != source.sha256:
            pinned.fetch(source, target, other)
            _say(f"file {name}")
            fetched += 1
        listed[source.mirror] = files.sha256(target)
    return fetched


def _bases(studies: list[Study]) -> list[dict[str, object]]:
    """Return the bases that are on the hub, each once."""
    bases = [study.config["base"] for study in studies]
    return list({(b["model"], b["revision"]): b for b in bases if b.get("revision")}.values())


def _environments(studies: list[Study]) -> list[str]:
    from limr.core import plugins

    engines = [study.config["engine"][kind] for study in studies for kind in ("train", "generate")]
    found = [getattr(plugins.load("engines", name), "ENVIRONMENT", "data") for name in engines]
    return list(dict.fromkeys(["dev", *found]))


def own_files(study: Study) -> list[str]:
    """Return what a study reads that is neither pinned nor on the hub."""
    found = [path for _, path in study.own_paths]
    found += [entry["overrides"] for entry in study.datasets.values() if entry.get("overrides")]
    base = study.config["base"]
    if base.get("model") and not base.get("revision"):
        found.append(base["model"])
    return [path for path in found if Path("config") not in Path(path).parents]


def _load(path: Path) -> Study:
    from limr.archive import documents
    from limr.study.load import load as load_study

    return load_study(documents.read_yaml(path), str(path), Path("config/benchmarks"))


@contextmanager
def _alone(mirror: Path) -> Iterator[None]:
    """Keep a second fetch out, which would lose entries of the list."""
    import fcntl

    mirror.mkdir(parents=True, exist_ok=True)
    with (mirror / ".fetch.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{mirror}: another `limr fetch` is filling it. Wait for it."
            ) from None
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
