"""Sweeps: a key of the study takes several values, and what depends on it is copied for each.

`size: {set: arms.limr.size, to: [32, 64]}` makes the arms `limr-size32` and `limr-size64` of
`limr`; with a second axis, an arm for each combination. What depends on a copied entry is copied
with it: the scores of a problem set, the arms of a score. What depends on no axis stays as it is,
and all cells share it. Copies are ordinary entries.
"""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from limr.core import validation
from limr.core.errors import InputError, nearest
from limr.study import schema

Json = dict[str, Any]
Entry = tuple[str, str]  # kind, name
Path = tuple[str, ...]  # of keys within an entry

KINDS: dict[str, type[validation.Keys]] = {
    "datasets": schema.Dataset,
    "trajectories": schema.Trajectories,
    "scores": schema.Score,
    "arms": schema.Arm,
}
# What is the name of something else where results are shown.
_TAKEN = ("arm", "seed", "step", "benchmark")
_MOST = 2000  # cells
# Options of tables and figures that name arms or scores.
_NAMING = {
    **dict.fromkeys(("arms", "against", "overlap_with"), "arms"),
    **dict.fromkeys(("scores", "score"), "scores"),
}


class Copy(NamedTuple):
    """An entry with the values of a cell: `cell` has the axes that reach it, in their order."""

    cell: Json
    name: str
    entry: Json


def spelled_out(config: Json, where: str) -> Json:
    """Return a configuration in which each cell of a sweep has entries of its own.

    Args:
        config: a complete one; returned as it is where it has no sweep.
        where: its file, for messages.

    Raises:
        InputError: an axis that sets what is not there, that does nothing, or whose copies have no
            names of their own.
    """
    if "sweep" not in config:
        return config
    grid = _Grid(config, where)
    made = {kind: {name: grid.copies((kind, name)) for name in config[kind]} for kind in KINDS}
    found: Json = {**config}
    for kind in KINDS:
        found[kind] = _by_name(made[kind], f"{where}: sweep", kind)
    _check_reach(config, made["arms"], where)
    if config["dataset"] in config["datasets"]:  # what depends on it names its own copy
        found["dataset"] = made["datasets"][config["dataset"]][0].name
    return _renamed(found, {kind: _names(made[kind]) for kind in KINDS}, where)


@dataclass
class _Grid:
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
            raise InputError(f"{at}: '{axis}' is a name of its own in results. Call it otherwise.")
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
            raise InputError(f"{at}: '{text}' begins with none of them.{nearest(kind, KINDS)}")
        entries, path = self.config[kind], tuple(key.split("."))
        if not all((name, *path)):
            raise InputError(
                f"{at}: '{text}' names no key of an entry, as arms.limr.size does: its kind, its "
                "name, the key."
            )
        if name != "*":
            if name not in entries:
                raise InputError(f"{at}: {kind} has no '{name}'.{nearest(name, entries)}")
            return [((kind, name), path)]
        train = "sft" if path[0] == "sft" else "ppo"
        found = [arm for arm, entry in self.config["arms"].items() if entry["train"] == train]
        if kind != "arms" or not found:
            raise InputError(f"{at}: '{text}': there is no arm with train: {train}.")
        return [(("arms", arm), path) for arm in found]

    def _complete(self, entry: Entry, values: Sequence[tuple[Path, Any]], at: str) -> Json:
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
        seen: list[tuple[Json, Json]] = []
        for values in itertools.product(*(self.axes[axis] for axis in own)):
            cell = dict(zip(own, values, strict=True))
            changes = [(path, cell[axis]) for axis, paths in own.items() for path in paths]
            complete = self._complete(entry, changes, at) if own else self.config[kind][name]
            self._check_new(cell, complete, seen, at)
            for whole, renamed in self._cells(kind, complete, cell):
                if not whole:
                    yield Copy({}, name, complete)
                    continue
                ordered = {axis: whole[axis] for axis in self.axes if axis in whole}
                made = self._complete(entry, [*changes, *renamed], at)
                yield self._copy(entry, ordered, made)

    def _check_new(self, cell: Json, entry: Json, seen: list[tuple[Json, Json]], at: str) -> None:
        """Refuse values that give the same entry."""
        for other, same in seen:
            if same == entry:
                axis = next(axis for axis in cell if cell[axis] != other[axis])
                raise InputError(
                    f"{at} is the same with {axis} = {other[axis]} and {axis} = {cell[axis]}: "
                    f"sweep.{axis} changes nothing there."
                )
        seen.append((cell, entry))

    def _copy(self, entry: Entry, cell: Json, made: Json) -> Copy:
        kind, name = entry
        own = "-".join([name, *(f"{axis}{_in_name(value)}" for axis, value in cell.items())])
        if kind == "arms":
            words = [made.get("title", name), *(f"{axis} {_text(v)}" for axis, v in cell.items())]
            made = {**made, "title": ", ".join(words), "of": name, "cell": cell}
        return Copy(cell, own, made)

    def _cells(
        self, kind: str, entry: Json, cell: Json
    ) -> Iterator[tuple[Json, list[tuple[Path, str]]]]:
        """Yield each cell that agrees with an entry's own and with what it depends on.

        With the names, by path, of the copies that it depends on there.
        """
        found: list[tuple[Json, list[tuple[Path, str]]]] = [(cell, [])]
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


def _by_name(made: Mapping[str, list[Copy]], at: str, kind: str) -> dict[str, Json]:
    """Return the copies' entries by name, of which no two may be the same."""
    found: dict[str, Json] = {}
    for name, copies in made.items():
        for one in copies:
            if one.name in found or (one.cell and one.name in made):
                raise InputError(
                    f"{at}: {kind}.{name} becomes '{one.name}', and another of {kind} has that "
                    "name. Call it, or the axis, otherwise."
                )
            found[one.name] = one.entry
    return found


def _names(made: Mapping[str, list[Copy]]) -> dict[str, list[str]]:
    """Return name in the file -> names of its copies, of what was copied."""
    return {name: [one.name for one in found] for name, found in made.items() if found[0].cell}


def _check_reach(config: Json, arms: Mapping[str, list[Copy]], where: str) -> None:
    reached = {axis for copies in arms.values() for one in copies for axis in one.cell}
    for axis, given in config["sweep"].items():
        if axis not in reached:
            keys = [given["set"]] if isinstance(given["set"], str) else given["set"]
            raise InputError(
                f"{where}: sweep.{axis}: it reaches no arm: none depends on {' or '.join(keys)}."
            )


def _renamed(config: Json, gone: Mapping[str, Mapping[str, list[str]]], where: str) -> Json:
    """Return the configuration with what names entries elsewhere: all copies of a name, or none."""
    own = [
        name
        for given in config["archive"]["own_files"]
        for name in next((gone[kind][given] for kind in KINDS if given in gone[kind]), [given])
    ]
    for key in ("arm", "against"):
        _refuse_gone(config["declared"].get(key), gone["arms"], f"{where}: declared.{key}")
    found = {**config, "archive": {**config["archive"], "own_files": own}}
    for kind in ("tables", "figures"):
        found[kind] = {
            name: {
                key: _shown(value, gone[_NAMING[key]], f"{where}: {kind}.{name}.{key}")
                if key in _NAMING
                else value
                for key, value in options.items()
            }
            for name, options in config[kind].items()
        }
    return found


def _shown(value: Any, gone: Mapping[str, list[str]], at: str) -> Any:
    """Return an option that names arms or scores: in a list, a name stands for all its copies."""
    if isinstance(value, list):
        return [name for one in value for name in gone.get(one, [one])]
    for name in value.values() if isinstance(value, dict) else [value]:
        _refuse_gone(name, gone, at)
    return value


def _refuse_gone(name: str | None, gone: Mapping[str, list[str]], at: str) -> None:
    if name is not None and name in gone:
        raise InputError(
            f"{at}: '{name}' is swept, and no longer one. Name a copy of it: "
            f"{', '.join(gone[name][:6])}{', …' if len(gone[name]) > 6 else ''}."
        )
