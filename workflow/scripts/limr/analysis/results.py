"""A study's results, as tables, figures and the report read them, and what they look up in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.statistics.intervals import Floats
from limr.study import preregistration
from limr.study.preregistration import Declaration

Json = dict[str, Any]
Run = tuple[str, int]  # arm and seed
Frames = dict[str, pd.DataFrame]  # benchmark -> `answers_of`
Asked = ParamSpec("Asked")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Group:
    """An arm with its random draws, which are shown as one: `arms` are the draws' names.

    Draws that are for one seed alone are as many arms as seeds.

    `changes` are the keys in which it differs from the study's settings (`limr.study.arms`): a
    control.
    """

    name: str
    title: str
    train: str
    arms: tuple[str, ...]
    changes: tuple[str, ...] = ()
    draws: int = 1  # those of one seed


@dataclass(frozen=True)
class Diagnosis:
    """How sure a score is: `limr.core.tables.DIAGNOSTICS` and `limr.core.tables.STABILITY`."""

    problems: pd.DataFrame
    epochs: pd.DataFrame


@dataclass(frozen=True)
class Inputs:
    """What a study has produced; what it has not produced is None or empty.

    Attributes:
        study: `study`, `seeds`, `arms` ({name, group, train, title, changes}; `draw`, the name
            without a seed, and `way`, the runs [arm, last step] that it goes on from),
            `benchmarks` ({name, title}), `steps` (kind of training -> evaluated steps), `declared`
            (`limr.study.preregistration`); `scores` (name -> {selector, trajectories}) for tables
            and figures that need scores; `decodings` and `scored_from` (`limr.study.study.Study`)
            for those that need the paper or runs.
        evaluations: see `limr.evaluate.collect.COLLECTED_EVALUATIONS`, and `COLLECTED_REASONS`.
        metrics: see `limr.evaluate.collect.COLLECTED_METRICS`, and `limr.core.tables.DRAWN` where a
            run has a sampler.
        trajectories: name -> `limr.core.tables.TRAJECTORIES`.
        scores: name -> `limr.core.tables.SCORES`.
        subsets: arm -> the subset's record; with `problem_ids` where the subset itself was given.
        diagnostics: name of a score -> its diagnosis.
        findings: problem set -> the audit of its gold answers, `limr.core.tables.AUDITS`.
        audits: problem set -> the counts of the audit of its gold answers
            (`limr.problems.answer_audit`).
        problems: problem set or benchmark -> its problems.
        runs: the record (run.json) of every training run, with its `arm` and `seed`.
        samples: name of trajectories -> the record of the base's responses drawn for them.
        paper: what the paper reports (config/paper.yaml, see `limr.analysis.paper`).
        opinions: a second opinion on the evaluations' verdicts, `limr.core.tables.OPINIONS`.
        overlaps: what questions share with training problems: `limr.core.tables.OVERLAPS` with
            `benchmark`; `study` then has `contamination`, the study's key.
        backtest: how selectors would have chosen, `limr.scores.backtest_rows.BACKTEST`.
    """

    study: Json
    evaluations: pd.DataFrame | None = None
    metrics: pd.DataFrame | None = None
    trajectories: Mapping[str, pa.Table] = field(default_factory=dict)
    scores: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    subsets: Mapping[str, Json] = field(default_factory=dict)
    diagnostics: Mapping[str, Diagnosis] = field(default_factory=dict)
    audits: Mapping[str, Json] = field(default_factory=dict)
    findings: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    problems: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    runs: Sequence[Json] = ()
    samples: Mapping[str, Json] = field(default_factory=dict)
    paper: Json | None = None
    # What `remembered` has kept; a changed copy of the inputs begins with none.
    known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    opinions: pd.DataFrame | None = None
    overlaps: pd.DataFrame | None = None
    backtest: pd.DataFrame | None = None

    @property
    def groups(self) -> list[Group]:
        """The arms in the study's order, each with its random draws."""
        found: dict[str, Group] = {}
        draws: dict[str, set[str]] = {}
        for arm in self.study["arms"]:
            before = found[arm["group"]].arms if arm["group"] in found else ()
            draws.setdefault(arm["group"], set()).add(arm.get("draw", arm["name"]))
            found[arm["group"]] = Group(
                arm["group"],
                arm["title"],
                arm["train"],
                (*before, arm["name"]),
                tuple(arm.get("changes", ())),
                len(draws[arm["group"]]),
            )
        return list(found.values())


def remembered(
    find: Callable[Concatenate[Inputs, Asked], Found],
) -> Callable[Concatenate[Inputs, Asked], Found]:
    """Make a function look for the same only once: a page asks for the same many times.

    What it returns is shared: nobody may change it. What it is asked must be hashable.
    """

    @wraps(find)
    def known(inputs: Inputs, /, *asked: Asked.args, **named: Asked.kwargs) -> Found:
        key = (find, asked, tuple(named.items()))
        if key not in inputs.known:
            inputs.known[key] = find(inputs, *asked, **named)
        found: Found = inputs.known[key]
        return found

    return known


# --- evaluations ---------------------------------------------------------------------------------


@remembered
def evaluated(inputs: Inputs) -> pd.DataFrame:
    """Return the evaluations that are reported: not those that only choose steps.

    Raises:
        InputError: the study has none.
    """
    frame, chooses = _all_evaluations(inputs), declared(inputs).validation
    return frame if chooses is None else frame[frame["benchmark"] != chooses]


def _all_evaluations(inputs: Inputs) -> pd.DataFrame:
    if inputs.evaluations is None:
        raise InputError("the study has no evaluations: name benchmarks under `evaluate`.")
    return inputs.evaluations


def decodings(evaluations: pd.DataFrame, benchmark: str) -> list[str]:
    """Return a benchmark's decodings in the configured order; the first is the headline."""
    rows = evaluations.loc[evaluations["benchmark"] == benchmark, "decoding"]
    return [str(name) for name in rows.unique()]


@remembered
def declared(inputs: Inputs) -> Declaration:
    """Return what the study declared before it ran."""
    return preregistration.of(inputs.study)


@remembered
def benchmarks(inputs: Inputs) -> dict[str, str]:
    """Return benchmark -> title, those that are reported, in the study's order."""
    found = set(evaluated(inputs)["benchmark"].unique())
    return {b["name"]: b["title"] for b in inputs.study["benchmarks"] if b["name"] in found}


@remembered
def evaluated_groups(inputs: Inputs) -> list[Group]:
    """Return the groups that have evaluations, in the study's order."""
    found = set(evaluated(inputs)["group"].unique())
    return [group for group in inputs.groups if group.name in found]


@remembered
def n_seeds(inputs: Inputs, group: str) -> int:
    """Return with how many seeds a group was evaluated."""
    frame = evaluated(inputs)
    return int(frame.loc[frame["group"] == group, "seed"].nunique())


@remembered
def final_step(inputs: Inputs, group: str) -> int:
    """Return the last evaluated step of a group."""
    frame = evaluated(inputs)
    return int(frame.loc[frame["group"] == group, "step"].max())


@remembered
def reported_steps(inputs: Inputs, group: str) -> dict[Run, int]:
    """Return (arm, seed) -> the step that is reported of this run, as the study declared.

    That is the last evaluated one; or the best on the validation benchmark's first decoding, the
    earliest of equals.
    """
    declaration = declared(inputs)
    frame = _all_evaluations(inputs)
    rows = frame[frame["group"] == group]
    if declaration.checkpoint == "last":
        return _steps_of(rows.groupby(["arm", "seed"])["step"].max().reset_index())
    name = str(declaration.validation)
    rows = rows[(rows["benchmark"] == name) & (rows["decoding"] == decodings(frame, name)[0])]
    rows = rows.assign(accuracy=rows["n_correct"] / rows["n"])
    means = rows.groupby(["arm", "seed", "step"])["accuracy"].mean().reset_index()
    best = means.sort_values(["accuracy", "step"], ascending=[False, True], kind="stable")
    return _steps_of(best.drop_duplicates(["arm", "seed"]))


def _steps_of(runs: pd.DataFrame) -> dict[Run, int]:
    columns = (runs[name] for name in ("arm", "seed", "step"))
    return {(str(arm), int(seed)): int(step) for arm, seed, step in zip(*columns, strict=True)}


def reported_step(inputs: Inputs, group: str) -> int | str:
    """Return a group's reported step for people: a number, or from which to which by run."""
    steps = sorted(set(reported_steps(inputs, group).values()))
    return steps[0] if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"


@remembered
def first_decoding(inputs: Inputs, benchmark: str) -> str:
    """Return a benchmark's first decoding, the headline."""
    return decodings(evaluated(inputs), benchmark)[0]


def headline_frames(inputs: Inputs, group: str, step: int | None = None) -> dict[str, pd.DataFrame]:
    """Return benchmark -> `answers_of` at the first decoding; None: at the reported step."""
    wanted = reported_steps(inputs, group) if step is None else step
    return {
        name: answers_of(inputs, group, wanted, name, first_decoding(inputs, name))
        for name in benchmarks(inputs)
    }


def answers_of(
    inputs: Inputs, group: str, step: int | Mapping[Run, int], benchmark: str, decoding: str
) -> pd.DataFrame:
    """Return accuracy in [0, 1], one row per run (arm, seed), one column per problem.

    Missing values are NaN. Columns are in the order of the first run, so that arms with the same
    questions line up. The step may differ from run to run.
    """
    steps = tuple(step.items()) if isinstance(step, Mapping) else step
    return _answers_of(inputs, group, steps, benchmark, decoding)


@remembered
def _answers_of(
    inputs: Inputs,
    group: str,
    step: int | tuple[tuple[Run, int], ...],
    benchmark: str,
    decoding: str,
) -> pd.DataFrame:
    rows = _rows(inputs).get((group, benchmark, decoding))
    if rows is None:
        rows = evaluated(inputs).iloc[:0].assign(accuracy=0.0)
    wanted: Any = step
    if isinstance(step, tuple):
        runs, by_run = zip(rows["arm"], rows["seed"], strict=True), dict(step)
        wanted = [by_run.get((str(arm), int(seed)), -1) for arm, seed in runs]
    kept: pd.DataFrame = rows[rows["step"] == wanted]
    wide = kept.pivot(index=["arm", "seed"], columns="problem_id", values="accuracy")
    return wide[list(kept["problem_id"].unique())]


@remembered
def _rows(inputs: Inputs) -> dict[Any, pd.DataFrame]:
    """Return (group, benchmark, decoding) -> its rows, with their accuracy."""
    frame = evaluated(inputs)
    frame = frame.assign(accuracy=frame["n_correct"] / frame["n"])
    return dict(list(frame.groupby(["group", "benchmark", "decoding"], sort=False)))


def headline_results(inputs: Inputs, group: str) -> dict[str, Floats]:
    """Return benchmark -> (n_runs, n_questions) accuracy: `headline_frames` without names."""
    frames = headline_frames(inputs, group)
    return {name: wide.to_numpy(np.float64) for name, wide in frames.items()}
