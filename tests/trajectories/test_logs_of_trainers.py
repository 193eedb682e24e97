"""Logs as people have them, each after a real trainer: the right values, or why not.

The cases lie in the mirror (`logs/`): each a folder with the log, `case.json` with the right
values where there are any, computed apart from this library, and often the problems. No option is
given but what no reader can know: from which reward on a response is correct.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.look.look import look
from limr.problems import own_file
from limr.scores import scoring
from limr.trajectories import reader
from limr.trajectories.reading import Imported

pytestmark = pytest.mark.data

# What nobody can know from the log: how much of a reward is for the right answer.
UNKNOWABLE = {
    "A06-verl-geo3k-reward": {"correct_above": 0.5},
    "B35-one-is-not-correct": {"correct_above": 1.5},
}
# Refused, and what the message must say.
REFUSED = {
    "A06-verl-geo3k-reward": r"0\.9 +\d+ rows[\s\S]*correct_above",
    "A22-slime-pt": "torch.save or pickle can run code",
    "B13-continuous-reward": "different numbers|rows[\\s\\S]*correct_above",
    "B14-format-reward-only": "think_format_reward.*reward the form",
    "B15-acc-is-a-share": r"'acc' does not say.*share of tests[\s\S]*0\.5 +\d+ rows",
    "B35-one-is-not-correct": r"2 +\d+ rows[\s\S]*correct_above",
}
# Read, and what must be said.
SAID = {
    "A02-verl-v1-sessions": "turns",
    "A04-verl-mixed-sources-null": "correct-by-reward",
    "A04-verl-mixed-sources-unknown": "correct-by-reward",
    "A09-trl-eval-overwrites": "overwritten-steps",
    "A10-trl-num-iterations-2": "repeated-generations",
    "A11-trl-logging-steps-2": "steps-missing",
    "A16-prime-rl-traces": "effective-left-out",
    "B01-dynamic-sampling": "filtered-groups",
    "B01b-dynamic-sampling-aligned": "filtered-groups",
    "B03b-resume-other-order": "resumed",
    "B04-second-run-renumbered": "several-parts",
    "B09-prompts-cut-on-the-left": "cut-prompts",
    "B10-two-frames": "frames",
    "B12-groups-of-different-size": "size-goes-with-verdict",
    "B18-null-and-nan-scores": "missing-scores",
    "B27-cut-last-line": "cut-last-line",
    "B30-one-and-a-half-epochs": "one-visit",
    "B32-validation-beside-training": "evaluation-rows",
    "R-trl-1.16-eval": "overwritten-steps",
    "R-trl-1.16-iter2": "repeated-generations",
    "R-trl-1.16-log4": "steps-missing",
}
# Folders of problem files: no logs.
NO_LOGS = {"B41-index-per-source"}


def cases(mirror: Path) -> list[Path]:
    return sorted(path.parent for path in (mirror / "logs").glob("*/case.json"))


def logs_of(case: Path) -> list[Path]:
    """The log of a case: `log/` or `completions/`, else each file or folder that is left."""
    named = [case / name for name in ("log", "completions") if (case / name).is_dir()]
    others = [path for path in sorted(case.iterdir())
              if path.name not in ("case.json", "problems.jsonl")]  # fmt: skip
    return named or others


def problems_of(case: Path) -> list[Problem] | None:
    path = case / "problems.jsonl"
    return own_file.read(path) if path.exists() else None


def lim(found: Imported) -> dict[str, float]:
    ids = found.problem_ids.to_pylist()
    candidates = scoring.ProblemSet(ids, [None] * len(ids))
    scored = scoring.score("lim", candidates, found.samples, {}, seed=1, name="lim")
    return dict(zip(ids, scored.values, strict=True))


def assert_right(found: Imported, expected: dict[str, Any], where: str) -> None:
    ids = found.problem_ids.to_pylist()
    rates = dict(zip(ids, found.samples.pass_rate, strict=True))
    for name, ours in (("lim", lim(found)), ("pass_rate", rates)):
        theirs = expected.get(name) or {}
        if set(theirs) <= set(ours):
            for key, value in theirs.items():
                assert ours[key] == pytest.approx(value, abs=1e-6), (where, name, key)
        else:  # ids of the log, or made from texts: the same values, whatever their names
            seen = sorted(v for v in ours.values() if not np.isnan(v))
            assert seen == pytest.approx(sorted(theirs.values()), abs=1e-6), (where, name)


def test_every_case_is_right_or_says_why_not(mirror: Path) -> None:
    known = cases(mirror)
    assert len(known) >= 47
    for case in known:
        if case.name in NO_LOGS:
            continue
        expected = json.loads((case / "case.json").read_text()).get("expected") or {}
        for log in logs_of(case):
            for problems in {problems_of(case) is None: [None]}.get(
                True, [problems_of(case), None]
            ):
                check(case.name, log, problems, expected)


def check(name: str, log: Path, problems: list[Problem] | None, expected: dict[str, Any]) -> None:
    where = f"{name}/{log.name}"
    if name in REFUSED:
        with pytest.raises(InputError) as refused:
            reader.read([log], problems)
        assert re.search(REFUSED[name], str(refused.value)), (where, str(refused.value))
        if name not in UNKNOWABLE:
            return
    looked = look([log], problems, log_options=UNKNOWABLE.get(name, {}))
    found = looked.imported
    if name in SAID and not (SAID[name] == "frames" and problems is None):
        codes = {finding.code for finding in looked.findings}
        wanted = SAID[name]
        assert wanted in codes or (wanted == "cut-prompts" and problems is None), (where, codes)
    if name == "B27-cut-last-line":  # the right values are those of the whole log
        expected = {"lim": expected["lim"]}
    if name == "A19-published-pass-rates":
        rates = dict(expected["pass_rate"])
        if log.name == "bigmath.parquet":
            del rates["p03"]  # null in this file: not measured
        expected = {"pass_rate": rates}
    assert_right(found, expected, where)


def test_evaluation_prompts_are_never_scored(mirror: Path) -> None:
    for name in ("A09-trl-eval-overwrites", "B32-validation-beside-training", "R-trl-1.16-eval"):
        case = mirror / "logs" / name
        known = {" ".join(p.prompt.split()) for p in problems_of(case) or []}
        for text in reader.read([logs_of(case)[0]]).prompts:
            assert any(prompt in " ".join(text.split()) for prompt in known), (name, text)


def test_rows_of_half_an_epoch_count_for_pass_rates(mirror: Path) -> None:
    case = mirror / "logs/B30-one-and-a-half-epochs"
    samples = reader.read([case / "log"], problems_of(case)).samples
    assert samples.n.sum() == sum(1 for path in (case / "log").iterdir() for _ in path.open())
    assert samples.whole == 1


def test_no_log_of_filtered_groups_is_scored_by_plain_lim(mirror: Path) -> None:
    for name in ("B01-dynamic-sampling", "B01b-dynamic-sampling-aligned"):
        case = mirror / "logs" / name
        looked = look([case / "log"], problems_of(case))
        assert looked.options["missing"] == "mean-of-present"
        text = next(f.text for f in looked.findings if f.code == "filtered-groups")
        assert "dead or solved, which of the two is unknown" in text
        assert (looked.prompts["low"] <= looked.prompts["high"]).all()
        assert (looked.prompts["low"] < looked.prompts["high"]).any()


def test_evaluations_over_time_are_read_as_epochs(mirror: Path) -> None:
    case = mirror / "logs/A05-verl-validation-dir"
    assert reader.read([case / "log"], problems_of(case)).samples.n_epochs == 4
