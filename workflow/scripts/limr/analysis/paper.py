"""What the paper reports (config/paper.yaml), and which of a study's arms it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from limr.analysis.results import Inputs
from limr.core import validation
from limr.core.errors import InputError, nearest
from limr.core.validation import ABSENT, Keys, Number

Json = dict[str, Any]

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[Number, Field(ge=0, le=100)]  # in percent
Count = Annotated[int, Field(ge=1)]


class Benchmark(Keys):
    """A benchmark as the paper used it."""

    title: Text
    questions: Count
    decoding: Text


class Method(Keys):
    """A row of the paper's Table 1."""

    name: Text
    arm: Text = ABSENT
    starts_from: Literal["base", "instruct"]
    long_cot: bool
    questions: Count
    at: Text


class Result(Keys):
    """A row of the paper's Table 2 or 3."""

    name: Text
    arm: Text
    tables: list[Literal[2, 3]]
    questions: Count = ABSENT
    aime24: Share = ABSENT
    math500: Share = ABSENT
    amc23: Share = ABSENT
    average: Share


class Inconsistency(Keys):
    """Where the paper does not agree with itself, its code or its data."""

    kind: Text
    at: Text
    says: Text
    but: Text
    here: Text


class Paper(Keys):
    """config/paper.yaml."""

    title: Text
    arxiv: Text
    problems: Count
    benchmarks: dict[str, Benchmark]
    methods: Annotated[list[Method], Field(min_length=1)]
    results: Annotated[list[Result], Field(min_length=1)]
    inconsistencies: Annotated[list[Inconsistency], Field(min_length=1)]


# Of the tables beside the paper's: which of the study's arms is which of the paper's.
ArmNames = Annotated[
    dict[str, str],
    Field(
        description="The study's arm for a row of the paper's (`base`, `full`, `rand`, `linear`, "
        "`limr`, `s1`, `limo`), where it has another name."
    ),
]


def read(path: Path | str) -> Json:
    """Read and check config/paper.yaml.

    Raises:
        InputError: it is missing, not YAML, or not what `Paper` says.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    found: Json = validation.complete(content, Paper, str(path))
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
        arms: see `ArmNames`.

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
