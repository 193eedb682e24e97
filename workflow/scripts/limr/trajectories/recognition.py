"""Which format a log has: by the names of its columns and the shape of its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.trajectories import records
from limr.trajectories.json_records import OTHER_SHAPE
from limr.trajectories.log_files import LogFile


def recognise(
    files: Sequence[LogFile], options: Mapping[str, Any], format_: str | None
) -> tuple[str, ModuleType, records.Sample]:
    """Return the name of a log's format, its module, and the first rows.

    Raises:
        InputError: no format fits, or several do.
    """
    candidates = [file for file in files if not file.held_out] or list(files)
    training = next((file for file in candidates if file.path.stat().st_size), candidates[0])
    if not training.path.stat().st_size:
        many = "the file is" if len(candidates) == 1 else f"all {len(candidates)} files are"
        raise InputError(f"{training.name}: {many} empty: nothing was logged, or not yet.")
    if training.kind == "pickle":
        raise InputError(
            f"{training.name}: a file of torch.save or pickle can run code when it is loaded, so "
            "limr does not read it. Convert it where you trust it (docs/logs.md has the lines for "
            "slime), or let the trainer write JSON lines."
        )
    sample = records.sample(training)
    if format_ is not None:
        return format_, plugins.load("importers", format_), sample
    fitting = _fitting(sample, options)
    if not fitting:
        raise InputError(
            f"{training.name}: no known format; found {named_columns(sample)}. If each row is a "
            "rollout, say which columns are which: `format: table` with `map` (on the command line "
            "--map prompt=…,reward=…,step=…)."
        )
    if len(fitting) > 1:
        raise InputError(f"{training.name}: may be {' or '.join(fitting)}. Name the format.")
    return fitting[0], plugins.load("importers", fitting[0]), sample


def looks_like(sample: records.Sample) -> str:
    """Return a sentence that names the format of the first rows, empty where none is sure."""
    fitting = _fitting(sample, {})
    if len(fitting) != 1:
        return ""
    return f" By its content it is '{fitting[0]}': give that, or no format."


def _fitting(sample: records.Sample, options: Mapping[str, Any]) -> list[str]:
    """Return the formats of the highest priority that fit."""
    by_priority: dict[int, list[str]] = {}
    for name in plugins.names("importers"):
        module = plugins.load("importers", name)
        by_priority.setdefault(getattr(module, "PRIORITY", 0), []).append(name)
    fitting: list[str] = []
    for priority in sorted(by_priority, reverse=True):
        names = by_priority[priority]
        fitting = fitting or [name for name in names if _fits(name, sample, options)]
    return fitting


def _fits(name: str, sample: records.Sample, options: Mapping[str, Any]) -> bool:
    """Tell whether a file is of a format."""
    module = plugins.load("importers", name)
    if hasattr(module, "recognises"):
        return bool(module.recognises(sample))
    if not hasattr(module, "columns"):
        return False
    keys = validation.options(module)
    known = {k: v for k, v in options.items() if k in keys.model_fields}
    return columns(module, sample, validation.complete(known, keys, name)) is not None


def columns(
    module: ModuleType, sample: records.Sample, settings: Mapping[str, Any]
) -> dict[str, str] | None:
    """Return a format's columns; None where the first rows are not as it has them."""
    try:
        found: dict[str, str] | None = module.columns(sample, settings)
    except OTHER_SHAPE:
        return None
    return found


def named_columns(sample: records.Sample) -> str:
    """Return the columns of a log's first rows, for a message."""
    names = sorted(sample.names)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"the columns {shown}" if names else "no rows of named values"
