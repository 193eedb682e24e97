"""Sweeps: a key of the study takes several values, and what depends on it is copied for each.

`size: {set: arms.limr.size, to: [32, 64]}` makes the arms `limr-size32` and `limr-size64` of
`limr`; with a second axis, an arm for each combination. What depends on a copied entry is copied
with it: the scores of a problem set, the arms of a score. What depends on no axis stays as it is,
and all cells share it. Copies are ordinary entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.errors import InputError
from limr.study.cells import KINDS, Copy, Grid

Json = dict[str, Any]
# Options of tables and figures that name arms or scores.
_NAMING = {
    **dict.fromkeys(("arms", "against", "overlap_with"), "arms"),
    **dict.fromkeys(("scores", "score"), "scores"),
}


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
    grid = Grid(config, where)
    made = {kind: {name: grid.copies((kind, name)) for name in config[kind]} for kind in KINDS}
    found: Json = {**config}
    for kind in KINDS:
        found[kind] = _by_name(made[kind], f"{where}: sweep", kind)
    _check_reach(config, made["arms"], where)
    if config["dataset"] in config["datasets"]:  # what depends on it names its own copy
        found["dataset"] = made["datasets"][config["dataset"]][0].name
    return _renamed(found, {kind: _names(made[kind]) for kind in KINDS}, where)


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
