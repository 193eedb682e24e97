"""Finished studies, kept from one session of the tests to the next.

A study of the tests takes a minute and always gives the same bytes, for which other tests care. It
is kept under a digest of all that makes it, in `build/tests` (`make clean` empties it): the modules
of the library that its jobs can import, scripts, rules, configuration, locks, the study itself,
versions of the packages, the kind of processor.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from limr.core import plugins
from small_study import PARTS, ROOT, Project, make_project

KEPT = ROOT / "build/tests"
DAYS = 14  # what nobody has asked for in so long is removed
RESULTS = ("results", ".snakemake", "study.yaml")
SCRIPTS = ROOT / "workflow/scripts"
# In no job of the small studies, and changed often; a test looks at what the jobs import.
LEFT_OUT = ("limr.cli", "limr.__main__")
PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "transformers", "matplotlib", "sympy",
            "math-verify", "snakemake")  # fmt: skip
_FROM = re.compile(r"^[ \t]*from (limr[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_MODULE = re.compile(r"\blimr(?:\.\w+)+")


def kept_project(
    study: dict[str, Any],
    folder: Path,
    *targets: str,
    start: dict[str, Any] | None = None,
    kept: Path = KEPT,
) -> Project:
    """Return a copy of the repository, in a new folder, in which a study has run.

    Sessions may ask at the same time, and may be killed: the first one runs the study, outside of
    the repository, and what is kept gets its name when it is whole.

    Args:
        study: what to run.
        folder: where the copy comes to be.
        targets: what of it; by default all.
        start: a study of which this one is an extension; what is the same in both, which Snakemake
            finds out, is not made twice. Then without targets: of a file that is asked for alone,
            Snakemake does not see that its job would now make others beside it.
        kept: where finished studies are kept.
    """
    assert not (targets and start)
    name = digest(study, targets)
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(kept / f"{name}.lock"):
        if not (kept / name).exists():
            _remove_old(kept)
            _make(study, targets, start, kept / name)
        os.utime(kept / name)
        project = make_project(folder)
        for part in RESULTS:
            source = kept / name / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / part, **({"symlinks": True} if source.is_dir() else {}))
    _age(folder, (kept / name / "imported.json").stat().st_mtime)
    return project


def digest(study: dict[str, Any], targets: tuple[str, ...] = ()) -> str:
    """Return the digest of all that makes a study's results."""
    found = hashlib.sha256()
    for value in (study, targets, _versions(), _processor()):
        found.update(json.dumps(value, sort_keys=False).encode())
    for path in files():
        found.update(f"{path.relative_to(ROOT)} {_file(path)}\n".encode())
    return found.hexdigest()[:24]


@cache
def files() -> list[Path]:
    """Return the repository's files that may have a part in a study's results, sorted."""
    library = SCRIPTS / "limr"
    found = {path for part in PARTS for path in _under(ROOT / part)}
    return sorted({p for p in found if library not in p.parents} | set(_modules()))


def _modules() -> Iterator[Path]:
    """Yield the files of the modules that rules, scripts and plug-ins lead to.

    A module counts as led to where its name stands in a text, too: some are started by name.
    """
    wanted = {plugins.module_name(kind, name) for kind in plugins.PACKAGES
              for name in plugins.names(kind)}  # fmt: skip
    for path in (*SCRIPTS.glob("*.py"), *_under(ROOT / "workflow", "*.smk"), ROOT / "Snakefile"):
        wanted |= _named(path)
    seen: set[str] = set()
    while wanted:
        module = wanted.pop()
        if module in seen or module.startswith(LEFT_OUT):
            continue
        seen.add(module)
        parent = module.rpartition(".")[0]
        wanted |= {parent} - seen - {""}
        base = SCRIPTS.joinpath(*module.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                wanted |= _named(path) - seen
                yield path


def _named(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    found = set(_MODULE.findall(text))
    for package, names in _FROM.findall(text):
        found |= {package, *(f"{package}.{name}" for name in re.findall(r"\w+", names))}
    return found


def _under(path: Path, pattern: str = "*") -> list[Path]:
    if path.is_symlink():  # to another part
        return []
    if path.is_file():
        return [path]
    ignored = {"__pycache__", "limr.egg-info"}
    return [p for p in path.rglob(pattern) if p.is_file() and not ignored & set(p.parts)]


@cache
def _file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in PACKAGES
    }


@cache
def _processor() -> str:
    """Return the kind of processor: its last bits are another one's where its instructions are."""
    with_flags = Path("/proc/cpuinfo")
    if not with_flags.exists():
        return platform.processor() + platform.machine()
    lines = {line for line in with_flags.read_text().splitlines()
             if line.startswith(("model name", "flags", "Features"))}  # fmt: skip
    return "\n".join(sorted(lines))


def _make(
    study: dict[str, Any], targets: tuple[str, ...], start: dict[str, Any] | None, place: Path
) -> None:
    """Run a study outside of the repository, and keep it under its name when it is whole."""
    with tempfile.TemporaryDirectory(prefix="limr-kept-") as temporary:
        folder = Path(temporary) / "project"
        project = kept_project(start, folder, kept=place.parent) if start else make_project(folder)
        project.write(study)
        project.finish(*targets)
        compiled = (project.folder / "workflow").rglob("*.pyc")
        names = {f"{p.parents[1].relative_to(project.folder)}/{p.name.split('.')[0]}.py"
                 for p in compiled}  # fmt: skip
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
        for name in RESULTS:
            source = project.folder / name
            if source.is_dir():
                shutil.copytree(source, part / name, symlinks=True)
            else:
                shutil.copy2(source, part / name)
        (part / "imported.json").write_text(json.dumps(sorted(names)))
        oldest = min(p.stat().st_mtime for p in (part / "results").rglob("*") if p.is_file())
        os.utime(part / "imported.json", (oldest - 10, oldest - 10))
        part.rename(place)


def _age(folder: Path, time_: float) -> None:
    """Make the code of a copy older than the kept results: Snakemake compares times."""
    for part in PARTS:
        for path in _under(folder / part):
            os.utime(path, (time_, time_))


def _remove_old(kept: Path) -> None:
    """Remove what nobody has asked for in a long time, and what a killed session left."""
    for path in kept.iterdir():
        limit = 0.5 if path.name.startswith(".part-") else DAYS
        if path.is_dir() and time.time() - path.stat().st_mtime > limit * 86400:
            gone = path.with_name(f".part-gone-{path.name}")
            path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
