"""The cells of a sweep: every entry with the values of each axis that reaches it.

An axis reaches an entry whose key it sets, and what depends on such an entry.
"""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from limr.core import validation
from limr.core.errors import InputError, nearest
from limr.study import schema

Json = dict[str, Any]
Entry = tuple[str, str]  # kind, name
Path = tuple[str, ...]  # of keys within an entry
Change = tuple[Path, Any]  # another value of a key

KINDS: dict[str, type[validation.Keys]] = {
    "datasets": schema.Dataset,
    "trajectories": schema.Trajectories,
    "scores": schema.Score,
    "arms": schema.Arm,
}
# What is the name of something else where results are shown.
_TAKEN = ("arm", "seed", "step", "benchmark")
_MOST = 2000  # cells


class Copy(NamedTuple):
    """An entry with the values of a cell: `cell` has the axes that reach it, in their order."""

    cell: Json
    name: str
    entry: Json


@dataclass
class Grid:
    """The copies of every entry, found from those that it depends on."""

    config: Json
    where: str
    known: dict[Entry, list[Copy]] = field(default_factory=dict)
    asked: list[Entry] = field(default_factory=list)  # whose copies are being found

    def __post_init__(self) -> None:
        self.axes = {name: axis["to"] for name, axis in self.config["sweep"].items()}
        self.own: dict[Entry, dict[str, list[Path]]] = {}  # keys that an axis sets, by axis
        if math.prod(map(len, self.axes.values())) > _MOST:
            raise InputError(f"{self.where}: sweep: more than {_MOST:,} cells. Take fewer values.")
        for axis, given in self.config["sweep"].items():
            self._place(axis, given)

    def _place(self, axis: str, given: Json) -> None:
        """Note which keys an axis sets, once each value has been tried in each of them."""
        at = f"{self.where}: sweep.{axis}"
        if axis in _TAKEN:
            raise InputError(f"{at}: '{axis}' is something else in results. Call it otherwise.")
        if not all(math.isfinite(value) for value in given["to"] if isinstance(value, float)):
            raise InputError(f"{at}.to: a value is no finite number: {given['to']}.")
        for text in [given["set"]] if isinstance(given["set"], str) else given["set"]:
            for entry, path in self._targets(text, f"{at}.set"):
                axes = self.own.setdefault(entry, {})
                for other, paths in axes.items():
                    if any(_overlap(path, one) for one in paths):
                        raise InputError(f"{at}.set: '{text}' is set by sweep.{other} too.")
                for value in given["to"]:
                    self._complete(entry, [(path, value)], f"{at}: {'.'.join(entry)}")
                axes.setdefault(axis, []).append(path)

    def _targets(self, text: str, at: str) -> list[tuple[Entry, Path]]:
        """Return the entries, each with the path of a key in it, that an axis names."""
        kind, _, rest = text.partition(".")
        name, _, key = rest.partition(".")
        if kind not in KINDS:
            raise InputError(
                f"{at}: '{text}': no entries are called '{kind}'.{nearest(kind, KINDS)}"
            )
        entries, path = self.config[kind], tuple(key.split("."))
        if not all((name, *path)):
            raise InputError(
                f"{at}: '{text}' names no key of an entry, as arms.limr.size does: its kind, its "
                "name, the key."
            )
        if name != "*":
            if name not in entries:
                raise InputError(
                    f"{at}: '{text}': there is no '{name}' under {kind}.{nearest(name, entries)}"
                )
            return [((kind, name), path)]
        train = "sft" if path[0] == "sft" else "ppo"
        found = [arm for arm, entry in self.config["arms"].items() if entry["train"] == train]
        if kind != "arms" or not found:
            raise InputError(f"{at}: '{text}': there is no arm with train: {train}.")
        return [(("arms", arm), path) for arm in found]

    def _complete(self, entry: Entry, values: Sequence[Change], at: str) -> Json:
        """Return an entry with other values, checked and complete."""
        kind, name = entry
        found = copy.deepcopy(self.config[kind][name])
        for path, value in values:
            _put(found, path, value, at)
        complete: Json = validation.complete(found, KINDS[kind], at)
        return complete

    def copies(self, entry: Entry) -> list[Copy]:
        """Return an entry's copies in the axes' order; the entry alone where no axis reaches it."""
        if entry in self.known:
            return self.known[entry]
        if entry in self.asked:
            trail = [*self.asked[self.asked.index(entry) :], entry]
            raise InputError(
                f"{self.where}: sweep: '{'.'.join(entry)}' depends on itself: "
                f"{' <- '.join('.'.join(one) for one in trail)}."
            )
        self.asked.append(entry)
        found = list(self._copies(entry))
        self.asked.pop()
        places = {axis: number for number, axis in enumerate(self.axes)}
        found.sort(
            key=lambda one: [(places[a], self.axes[a].index(v)) for a, v in one.cell.items()]
        )
        self.known[entry] = found
        return found

    def _copies(self, entry: Entry) -> Iterator[Copy]:
        kind, name = entry
        own = self.own.get(entry, {})
        at = f"{self.where}: sweep: {'.'.join(entry)}"
        for values in itertools.product(*(self.axes[axis] for axis in own)):
            cell = dict(zip(own, values, strict=True))
            changes = [(path, cell[axis]) for axis, paths in own.items() for path in paths]
            complete = self._complete(entry, changes, at) if own else self.config[kind][name]
            for whole, renamed in self._cells(kind, complete, cell):
                if not whole:
                    yield Copy({}, name, complete)
                    continue
                ordered = {axis: whole[axis] for axis in self.axes if axis in whole}
                made = self._complete(entry, [*changes, *renamed], at)
                yield self._copy(entry, ordered, made)

    def _copy(self, entry: Entry, cell: Json, made: Json) -> Copy:
        kind, name = entry
        own = "-".join([name, *(f"{axis}{_in_name(value)}" for axis, value in cell.items())])
        if kind == "arms":
            words = [made.get("title", name), *(f"{axis} {_text(v)}" for axis, v in cell.items())]
            made = {**made, "title": ", ".join(words), "of": name, "cell": cell}
        return Copy(cell, own, made)

    def _cells(self, kind: str, entry: Json, cell: Json) -> Iterator[tuple[Json, list[Change]]]:
        """Yield each cell that agrees with an entry's own and with what it depends on.

        With the names, by path, of the copies that it depends on there.
        """
        found: list[tuple[Json, list[Change]]] = [(cell, [])]
        for path, other, name in _references(kind, entry, self.config):
            base, draw = _resolved(other, name, self.config)
            if base not in self.config[other]:
                continue  # said later, by those who check the study
            found = [
                ({**one, **of.cell}, [*names, (path, of.name + draw)] if of.cell else names)
                for one, names in found
                for of in self.copies((other, base))
                if all(one.get(axis, value) == value for axis, value in of.cell.items())
            ]
        yield from found


def _references(kind: str, entry: Json, config: Json) -> list[tuple[Path, str, str]]:
    """Return (path of the key, kind, name) of what an entry depends on."""
    found: list[tuple[Path, str, Any]] = []
    if kind in ("trajectories", "scores"):
        found.append((("dataset",), "datasets", entry.get("dataset", config["dataset"])))
    if kind == "trajectories":
        found.append((("arm",), "arms", entry.get("arm")))
    if kind == "scores":
        found.append((("trajectories",), "trajectories", entry.get("trajectories")))
    if kind == "arms":
        found.append((("score",), "scores", entry.get("score")))
        found.append((("size",), "arms", entry.get("size")))
        found.append((("start", "arm"), "arms", entry.get("start", {}).get("arm")))
        difficulty = entry.get("sampler", {}).get("difficulty")
        found.append((("sampler", "difficulty"), "scores", difficulty))
    return [(path, other, name) for path, other, name in found if isinstance(name, str)]


def _resolved(kind: str, name: str, config: Json) -> tuple[str, str]:
    """Return the entry that a name is of, and the end of the name of one of its draws."""
    base, dash, number = name.rpartition("-")
    if name not in config[kind] and base in config[kind] and number.isdecimal():
        return base, dash + number
    return name, ""


def _overlap(one: Path, other: Path) -> bool:
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))


def _put(entry: Json, path: Path, value: Any, at: str) -> None:
    """Set a key; mappings on the way that are not there are made."""
    *parents, last = path
    for place, key in enumerate(parents):
        inner = entry.setdefault(key, {})
        if not isinstance(inner, dict):
            raise InputError(f"{at}: '{'.'.join(path[: place + 1])}' is {inner!r}: it has no keys.")
        entry = inner
    entry[last] = value


def _text(value: Any) -> str:
    """Return a value for people: a whole number without a point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_name(value: Any) -> str:
    """Return a value as a part of a name: `0.25` as `0_25`."""
    return re.sub("[^a-z0-9_-]", "_", _text(value).lower())
