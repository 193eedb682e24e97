"""What the paper reports (config/paper.yaml), and which of a study's arms it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from limr.analysis.results import Inputs
from limr.core import validation
from limr.core.errors import InputError, nearest

Json = dict[str, Any]

_TEXT = {"type": "string", "minLength": 1}
_SHARE = {"type": "number", "minimum": 0, "maximum": 100}
_COUNT = {"type": "integer", "minimum": 1}


def _list(properties: Json, required: list[str]) -> Json:
    item = {"type": "object", "additionalProperties": False, "required": required}
    return {"type": "array", "minItems": 1, "items": {**item, "properties": properties}}


SCHEMA: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "title",
        "arxiv",
        "problems",
        "benchmarks",
        "methods",
        "results",
        "inconsistencies",
    ],
    "properties": {
        "title": _TEXT,
        "arxiv": _TEXT,
        "problems": _COUNT,
        "benchmarks": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title", "questions", "decoding"],
                "properties": {"title": _TEXT, "questions": _COUNT, "decoding": _TEXT},
            },
        },
        "methods": _list(
            {
                "name": _TEXT,
                "arm": _TEXT,
                "starts_from": {"enum": ["base", "instruct"]},
                "long_cot": {"type": "boolean"},
                "questions": _COUNT,
                "at": _TEXT,
            },
            ["name", "starts_from", "long_cot", "questions", "at"],
        ),
        "results": _list(
            {
                "name": _TEXT,
                "arm": _TEXT,
                "tables": {"type": "array", "items": {"enum": [2, 3]}},
                "questions": _COUNT,
                **dict.fromkeys(("aime24", "math500", "amc23", "average"), _SHARE),
            },
            ["name", "arm", "tables", "average"],
        ),
        "inconsistencies": _list(
            dict.fromkeys(("kind", "at", "says", "but", "here"), _TEXT),
            ["kind", "at", "says", "but", "here"],
        ),
    },
}

# Of the tables that stand beside the paper's: which of the study's arms is which of the paper's.
ARMS_OPTION: Json = {
    "type": "object",
    "default": {},
    "additionalProperties": {"type": "string"},
    "description": (
        "The study's arm for a row of the paper's (`base`, `full`, `rand`, `linear`, `limr`, `s1`, "
        "`limo`), where it has another name."
    ),
}


def read(path: Path | str) -> Json:
    """Read and check config/paper.yaml.

    Raises:
        InputError: it is missing, not YAML, or not what `SCHEMA` says.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    found: Json = validation.complete(content, SCHEMA, str(path))
    return found


def of(inputs: Inputs) -> Json:
    """Return what the paper reports.

    Raises:
        InputError: it was not given.
    """
    if inputs.paper is None:
        raise InputError("what the paper reports (config/paper.yaml) was not given.")
    return inputs.paper


def rows_by_group(inputs: Inputs, table: int, arms: Mapping[str, str]) -> dict[str, Json]:
    """Return the study's group -> the paper's row of Table 2 or 3 that is the same arm.

    Args:
        inputs: what the study has.
        table: 2 or 3.
        arms: see `ARMS_OPTION`.

    Raises:
        InputError: `arms` names a row or an arm that there is not.
    """
    rows = {row["arm"]: row for row in of(inputs)["results"]}
    groups = [group.name for group in inputs.groups]
    for row, arm in arms.items():
        if row not in rows:
            raise InputError(f"arms: the paper has no row '{row}'.{nearest(row, rows)}")
        if arm not in groups:
            raise InputError(f"arms: the study has no arm '{arm}'.{nearest(arm, groups)}")
    named = {arms.get(name, name): row for name, row in rows.items() if table in row["tables"]}
    return {group: named[group] for group in groups if group in named}
