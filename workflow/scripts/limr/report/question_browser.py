"""The evaluation's questions for the page: what each arm answered, and how often it was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from limr.analysis import findings, results
from limr.analysis.results import Group, Inputs
from limr.core import files, safe_text
from limr.core.tables import EVALUATIONS, REASONS, Problem
from limr.report.explanations import Explanations
from limr.report.figures import _style
from limr.report.problem_browser import pack

Json = dict[str, Any]
Answers = Sequence[tuple[Mapping[str, Any], Path | str]]
PROMPT, ANSWER, MOST = 1200, 80, 4  # characters of a prompt and an answer; answers by arm
_READ = ("problem_id", "decoding", "verdict", "format", "answer")


@dataclass(frozen=True)
class Questions:
    """The packed data of the explorer, the number of questions, and whether it has answers.

    `unexplained`: some answers, the last ones, were left out of those whose verdicts are explained.
    """

    data: str
    n: int
    answers: bool
    unexplained: bool = False


def build(inputs: Inputs, answers: Answers, texts: bool) -> Questions | None:
    """Return the questions of the reported benchmarks; None without evaluations.

    Args:
        inputs: what the study has.
        answers: (`arm`, `seed`, `step`, `benchmark`) and the file of evaluations
            (`limr.core.tables.EVALUATIONS`); those of other steps than the reported ones are left.
        texts: whether texts of questions and answers are part of it.

    Raises:
        InputError: a file is not such a table.
    """
    if inputs.evaluations is None:
        return None
    groups = results.evaluated_groups(inputs)
    counts = _counts(inputs, groups)
    said = _answers(inputs, answers) if texts else {}
    known = {(name, p.problem_id): p for name, ps in inputs.problems.items() for p in ps}
    how = Explanations(inputs.study.get("graders", {}))
    titles = results.benchmarks(inputs)
    rows = []
    for benchmark, key in counts.index:
        problem = known.get((benchmark, key))
        shown = texts and problem is not None
        rows.append(
            [
                safe_text.bounded(str(key), 200),
                list(titles).index(benchmark),
                problem.level if problem else None,
                safe_text.bounded(problem.prompt, PROMPT) if shown and problem else "",
                safe_text.bounded(problem.answer, 300) if shown and problem else "",
                [
                    [int(v) for v in pair]
                    for pair in counts.loc[(benchmark, key)].to_numpy().reshape(-1, 2)
                ],
                [
                    _explained(said.get((benchmark, key, group.name), []), benchmark, problem, how)
                    for group in groups
                ],
            ]
        )
    main = findings.main_group(inputs)
    colours = _style.colours(inputs)
    data = {
        "benchmarks": list(titles.values()),
        "arms": [{"title": g.title, "colour": colours[g.name]} for g in groups],
        "main": next((i for i, g in enumerate(groups) if main and g.name == main.name), 0),
        "against": _reference(inputs, groups, main),
        "rows": rows,
        "how": list(how.texts),
    }
    return Questions(pack(data), len(rows), bool(said), not how.is_whole)


def _reference(inputs: Inputs, groups: Sequence[Group], main: Group | None) -> int:
    """Return the place of what the primary arm is compared with, else of the last other arm."""
    first = findings.primary(inputs)
    wanted = first.second.name if first else None
    places = [i for i, group in enumerate(groups) if group.name == wanted]
    others = [i for i, group in enumerate(groups) if main is None or group.name != main.name]
    return (places or others or [0])[0]


def _counts(inputs: Inputs, groups: Sequence[Group]) -> pd.DataFrame:
    """Return right answers and samples of each group at its reported step, by question."""
    frame = results.evaluated(inputs)
    first = {name: results.decodings(frame, name)[0] for name in results.benchmarks(inputs)}
    frame = frame[frame["decoding"] == frame["benchmark"].map(first)]
    parts = {}
    for group in groups:
        steps = results.reported_steps(inputs, group.name)
        own = frame[frame["group"] == group.name]
        runs = zip(own["arm"], own["seed"], own["step"], strict=True)
        own = own[[steps.get((arm, seed)) == step for arm, seed, step in runs]]
        parts[group.name] = own.groupby(["benchmark", "problem_id"], sort=False)[
            ["n_correct", "n"]
        ].sum()
    wide = pd.concat(parts, axis=1).fillna(0)
    order = list(first)
    return wide.sort_index(level=0, key=lambda names: names.map(order.index), sort_remaining=False)


def _explained(
    said: Sequence[tuple[Any, ...]], benchmark: str, problem: Problem | None, how: Explanations
) -> list[list[Any]]:
    """Return answers as shown: answer, verdict, broken rule, times, and the place in `how`."""
    shown = []
    for answer, verdict, rule, reason, n in said:
        place = how.place(benchmark, problem.answer, answer, verdict, reason) if problem else None
        shown.append([safe_text.bounded(answer, ANSWER), verdict, rule, n, place])
    return shown


def _answers(inputs: Inputs, answers: Answers) -> dict[tuple[str, str, str], list[tuple[Any, ...]]]:
    """Return (benchmark, question, group) -> its commonest answers.

    Each has answer, verdict, broken format rule, reason (None where it was not recorded) and times.
    """
    groups = {arm: group.name for group in inputs.groups for arm in group.arms}
    steps = {
        g.name: results.reported_steps(inputs, g.name) for g in results.evaluated_groups(inputs)
    }
    frame, parts = results.evaluated(inputs), []
    for key, path in answers:
        group = groups[key["arm"]]
        reported = steps.get(group, {}).get((key["arm"], key["seed"])) == key["step"]
        if reported and key["benchmark"] in results.benchmarks(inputs):
            rows = files.read_parquet(path, EVALUATIONS, _READ, newer=REASONS).to_pandas()
            rows = rows[rows["decoding"] == results.decodings(frame, key["benchmark"])[0]]
            parts.append(rows.assign(benchmark=key["benchmark"], group=group))
    if not parts:
        return {}
    keys, each = ["benchmark", "problem_id", "group"], ["answer", "verdict", "format", "reason"]
    every = (
        pd.concat(parts, ignore_index=True)
        .astype({"verdict": str})
        .fillna({"answer": "", "format": ""})
        .reindex(columns=[*keys, *each])
    )
    times = every.groupby([*keys, *each], sort=False, dropna=False).size()
    found: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    for (benchmark, key, group, answer, verdict, rule, why), n in times.sort_values(
        ascending=False, kind="stable"
    ).items():
        own = found.setdefault((str(benchmark), str(key), str(group)), [])
        if len(own) < MOST:
            reason = None if pd.isna(why) else str(why)
            own.append((str(answer), str(verdict), str(rule), reason, int(n)))
    return found
