"""Finding a log's files, and reading them as bytes, whatever they are packed in."""

from __future__ import annotations

import glob
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limr.core import packed
from limr.core.errors import InputError
from limr.trajectories import log_names
from limr.trajectories.findings import Findings

# More files than this, and the folder is not a log.
MOST_FILES = 200_000
_BYTES = 1 << 20


@dataclass(frozen=True)
class LogFile:
    """A file of a log.

    Attributes:
        path: where it lies.
        name: how messages call it: its path below what was given.
        kind: one of the values of `limr.trajectories.log_names.KINDS`.
        part: number of the run (or of its continuation) that it belongs to, from 0.
        number: the number in its name (or its folder's), which is mostly the step; None: none.
        held_out: whether its name says that it holds an evaluation.
        writer: which of several processes wrote it, such as `rank0`; empty where none is named.
    """

    path: Path
    name: str
    kind: str
    part: int = 0
    number: int | None = None
    held_out: bool = False
    writer: str = ""


def kind_of(path: Path) -> str | None:
    """Return what a file is by its name, packing aside; None: no kind that a log is made of."""
    return log_names.KINDS.get(packed.suffix(path))


def find(given: Sequence[str | Path], found: Findings, spool: Path | None = None) -> list[LogFile]:
    """Return the files of a log, in the order in which they were written.

    Args:
        given: files, folders, patterns such as `run/*.jsonl`, or pipes; several are parts of one
            run, one after the other.
        found: takes what is noticed.
        spool: a folder for what comes through a pipe; None: pipes are refused.

    Raises:
        InputError: there is no such path, nothing that can be a log, or files of several runs.
    """
    files: list[LogFile] = []
    part = 0
    for place in given:
        for path in _expanded(str(place)):
            more = _of_folder(path, part, found) if path.is_dir() else [_single(path, part, spool)]
            part = max(file.part for file in more) + 1
            files += more
    if len({file.path.resolve() for file in files}) < len(files):
        raise InputError(f"{given[0]}: a file was given twice.")
    if len(given) == 1 and len({file.part for file in files}) == len(files) > 1:  # a pattern
        return series([file.path for file in files], found)
    return files


def series(paths: Sequence[Path], found: Findings) -> list[LogFile]:
    """Return files that are one log together, in order.

    Raises:
        InputError: files of several runs.
    """
    common = Path(os.path.commonpath([path.parent for path in paths]))
    return _numbered(list(paths), common, 0, found)


def _expanded(place: str) -> list[Path]:
    path = Path(place).expanduser()
    if path.exists():
        return [path]
    matching = sorted(map(Path, glob.glob(str(path)))) if glob.has_magic(place) else []  # noqa: PTH207
    if not matching:
        raise InputError(f"{place}: there is no such file or folder.")
    return matching


def _single(path: Path, part: int, spool: Path | None) -> LogFile:
    if not stat.S_ISREG(path.stat().st_mode):
        if spool is None:
            raise InputError(f"{path}: is no file. Write the log to a file first.")
        copy = Path(tempfile.mkstemp(dir=spool, prefix="pipe-")[1])
        with path.open("rb") as pipe, copy.open("wb") as file:
            shutil.copyfileobj(pipe, file, _BYTES)
        return LogFile(copy, str(path), _sniffed(copy), part)
    number = log_names.numbers(path.name)
    return LogFile(
        path,
        path.name,
        kind_of(path) or _sniffed(path),
        part,
        number[-1] if number else None,
        bool(log_names.HELD_OUT.search(log_names.bare(path.name))),
    )


def _sniffed(path: Path) -> str:
    """Return what a file is by its first bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    return "parquet" if start == b"PAR1" else "pickle" if start[:2] == b"PK" else "jsonl"


def _of_folder(folder: Path, part: int, found: Findings) -> list[LogFile]:
    """Return the files below a folder."""
    paths: list[Path] = []
    hidden = others = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file():
            continue
        if any(name.startswith(".") for name in inside.parts):
            hidden += 1
        elif kind_of(path) is None or log_names.NO_LOG.search(str(inside)):
            others += 1
        else:
            paths.append(path)
        if len(paths) > MOST_FILES:
            raise InputError(
                f"{folder}: more than {MOST_FILES:,} files. Name the log's own folder."
            )
    if not paths:
        inside_ = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise InputError(
            f"{folder}: no file of a log in it (.jsonl, .json, .parquet, .csv, also .gz and .zst); "
            f"found {inside_}."
        )
    if hidden or others:
        what = f"{hidden} hidden files" if hidden else ""
        what += (" and " if hidden and others else "") + (f"{others} other files" if others else "")
        found.add("other-files", f"{what} in the folder were not read.", count=hidden + others)
    return _numbered(paths, folder, part, found)


def _numbered(paths: list[Path], folder: Path, part: int, found: Findings) -> list[LogFile]:
    """Return files with their numbers and parts, in order."""
    by_shape: dict[str, list[Path]] = {}
    for path in paths:
        by_shape.setdefault(log_names.shape_of(path.relative_to(folder)), []).append(path)
    by_shape = _only_complete(by_shape, found)
    held_out = {shape: bool(log_names.HELD_OUT.search(log_names.bare(shape))) for shape in by_shape}
    if all(held_out.values()):  # then the whole log is of an evaluation, and that is what is wanted
        held_out = dict.fromkeys(held_out, False)
    training = [shape for shape, out in held_out.items() if not out]
    _refuse_several(training, by_shape, folder)
    _refuse_twice(paths, folder)
    files = []
    for shape, members in by_shape.items():
        several = _runs(members, folder, shape)
        for path in members:
            inside = path.relative_to(folder)
            parent, number = log_names.step_of(inside)
            if number is None:
                number = next(iter(log_names.numbers(str(inside))[::-1]), None)
            run = several.get(parent, 0)
            files.append(
                LogFile(
                    path,
                    str(inside),
                    kind_of(path) or "jsonl",
                    part + run,
                    number,
                    held_out[shape],
                    "".join(log_names.WRITER.findall(str(inside))),
                )
            )
    runs = sorted({file.part for file in files})
    if len(runs) > 1:
        names = [next(f.name for f in files if f.part == run) for run in runs]
        found.add(
            "several-parts",
            f"{len(runs)} folders with the same step numbers are read as one run, one after the "
            f"other: {', '.join(str(Path(name).parent) for name in names[:4])}.",
            "warning",
            len(runs),
            names[1],
        )
    return sorted(files, key=lambda f: (f.part, -1 if f.number is None else f.number, f.name))


def _only_complete(shapes: dict[str, list[Path]], found: Findings) -> dict[str, list[Path]]:
    """Leave out what is no rollout, or repeats others: prime-rl's `effective` beside `all`."""
    beside = [shape for shape in shapes if log_names.BESIDE.search(log_names.bare(shape))]
    if len(beside) < len(shapes):
        n = sum(len(shapes.pop(shape)) for shape in beside)
        if n:
            found.add("other-files", f"{n} files that describe the run were not read, such as "
                      f"{log_names.pattern_of(beside[0])}.", count=n)  # fmt: skip
    for shape in list(shapes):
        whole = re.sub(r"\beffective\b", "all", shape)
        if whole != shape and whole in shapes:
            n = len(shapes.pop(shape))
            found.add(
                "effective-left-out",
                f"{n} files in folders 'effective' were not read: they lack the groups that the "
                "trainer filtered out, which the folders 'all' beside them hold.",
                count=n,
            )
    return shapes


def _refuse_several(training: list[str], shapes: dict[str, list[Path]], folder: Path) -> None:
    kinds = {kind_of(shapes[shape][0]) for shape in training}
    if len(training) > 1 and (len(kinds) > 1 or not _one_series(training)):
        shown = "; ".join(
            f"{len(shapes[s])} like {shapes[s][0].relative_to(folder)}" for s in training[:4]
        )
        raise InputError(
            f"{folder}: files of several logs: {shown}. Name the files of one run, such as "
            f"'{folder}/{log_names.pattern_of(training[0])}', or several in the order in which "
            "they were written."
        )


def _refuse_twice(paths: list[Path], folder: Path) -> None:
    """Refuse files that differ in leading zeros or in how they are packed only."""
    known: dict[tuple[str, ...], Path] = {}
    for path in paths:
        inside = path.relative_to(folder)
        bare = re.sub(r"\d+", lambda digits: str(int(digits[0])), log_names.bare(inside.name))
        first = known.setdefault((str(inside.parent), bare), inside)
        if first != inside:
            raise InputError(
                f"{folder}: {inside} and {first} have one name but for zeros or packing: is one a "
                "copy of the other? Take it away."
            )


def _one_series(shapes: list[str]) -> bool:
    """Tell whether shapes differ in words of ranks and shards only, or in their folders."""
    return len({log_names.PARALLEL.sub("", log_names.bare(shape)) for shape in shapes}) == 1


def _runs(paths: list[Path], folder: Path, shape: str) -> dict[str, int]:
    """Return folder -> number of its run, where folders of one log hold the same step numbers."""
    parents: dict[str, set[int]] = {}
    for path in paths:
        parent, number = log_names.step_of(path.relative_to(folder))
        parents.setdefault(parent, set()).update([] if number is None else [number])
    if len(parents) < 2 or any(
        log_names.PARALLEL.search(part) for part in re.split(r"#+|/", shape)[:-1]
    ):
        return {}
    together = [number for numbers in parents.values() for number in numbers]
    if len(set(together)) == len(together):
        return {}
    ordered = sorted(parents, key=log_names.natural)
    if not log_names.PARTS.search(shape):
        raise InputError(
            f"{folder}: the folders {', '.join(ordered[:4])} hold the same step numbers. If they "
            "are different runs, name one of them; if one goes on where another ended, name them "
            "in that order."
        )
    return {parent: place for place, parent in enumerate(ordered)}
