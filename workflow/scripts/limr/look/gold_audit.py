"""Gold answers that may be wrong: most responses to a prompt agree on another answer.

Such a gold answer is a candidate, no more: a policy may agree on a wrong answer, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from limr.grading import equality
from limr.look.answers import Answers
from limr.look.judge import Judge
from limr.trajectories.curves import Flags, Ints

if TYPE_CHECKING:
    from limr.look.audit import Report

# Expected share of wrong candidates: prompts whose most frequent answer is not given by more than
# half of all responses that the policy would make.
FALSE_DISCOVERIES = 0.01
_FEWEST = 5  # answers of a prompt
_LIKELY = 0.4  # share of equal spellings from which on answers are compared by the grader
_COLUMNS = ["problem_id", "gold", "majority", "n", "n_majority", "share", "low", "n_gold",
            "n_rewarded", "elsewhere", "example"]  # fmt: skip


@dataclass(frozen=True)
class _Suspect:
    """A prompt whose most frequent answer is spelled otherwise than the gold one."""

    problem: int
    gold: int
    answers: Counter[int]  # places of texts
    top: list[int]  # those of the most frequent answer, the most frequent first
    elsewhere: float  # share of that answer among the unrewarded ones of other prompts
    rewarded: int  # responses with that answer that the trainer took for correct


def unusable(found: Answers, ids: Sequence[str], judge: Judge, report: Report) -> Flags:
    """Say which gold answers no response can match; return (n answers,) those with a usable one."""
    bad = np.array([gold.strip() in ("", "None") or judge.own_box(gold) is False
                    for gold in found.golds], bool)  # fmt: skip
    rows = (found.gold >= 0) & bad[found.gold] if len(bad) else np.zeros(len(found.gold), bool)
    if rows.any():
        problems, first = np.unique(found.problem[rows], return_index=True)
        golds = [found.golds[at][:200] for at in found.gold[rows][first]]
        report.add(
            "gold-unusable",
            f"{_have(len(problems))} a gold answer that no response can match, by limr's "
            "grader: it is empty, or not equal to itself in a box.",
            "warning",
            len(problems),
            pd.DataFrame({"problem_id": [ids[at] for at in problems], "gold": golds}),
        )
    return np.asarray((found.gold >= 0) & ~rows)


def check(found: Answers, usable: Flags, ids: Sequence[str], judge: Judge, report: Report) -> None:
    """Find gold answers that a confident majority of responses contradicts.

    Args:
        found: the answers that were read.
        usable: (n answers,) which rows have a gold answer that can be matched.
        ids: the problems' ids.
        judge: limr's grader.
        report: takes what is found.
    """
    rows = found.by_prompt & usable & (found.answer >= 0)
    suspects = list(_suspects(found, np.flatnonzero(rows)))
    tested = [row for one in suspects if (row := _row(found, one, ids, judge)) is not None]
    if not tested:
        return
    # At most one other answer can have more than half; twice, as the gold one could have, too.
    # An answer that the policy gives to other prompts, too, such as 0, must be more than that.
    p = [min(1.0, 2 * stats.binom.sf(row["n_majority"] - 1, row["n"],
                                     max(0.5, row["elsewhere"]))) for row in tested]  # fmt: skip
    sure = stats.false_discovery_control([*p, *[1.0] * (len(suspects) - len(p))])
    table = pd.DataFrame(tested, columns=_COLUMNS)[sure[: len(p)] <= FALSE_DISCOVERIES]
    table = table.sort_values(["low", "problem_id"], ascending=[False, True])
    never = table["n_gold"] == 0
    for code, part, what in (
        ("gold-never-matched", table[never], "no response that was read ever matched"),
        ("gold-contradicted", table[~never], "some responses matched"),
    ):
        if len(part):
            report.add(
                code,
                f"{_have(len(part))} a gold answer that {what}, while more than half agree on "
                f"another answer, such as prompt '{part['problem_id'].iloc[0]}': the gold answer "
                "may be wrong, or the policy is, always in the same way. Look at the evidence.",
                "warning",
                len(part),
                part,
            )


def _have(n: int) -> str:
    return f"{n:,} prompt has" if n == 1 else f"{n:,} prompts have"


def _suspects(found: Answers, rows: Ints) -> Any:
    """Yield prompts with enough answers, the most frequent of which is not spelled as the gold."""
    forms = [equality.form(found.written(at)) for at in range(len(found.texts))]
    golds = [equality.form(gold) for gold in found.golds]
    wrong = Counter(forms[at] for at in found.answer[rows[~found.correct[rows]]])
    order = rows[np.argsort(found.problem[rows], kind="stable")]
    bounds = np.flatnonzero(np.diff(found.problem[order])) + 1
    for mine in np.split(order, bounds):
        if len(mine) < _FEWEST or len(set(found.gold[mine].tolist())) > 1:
            continue
        gold, answers = int(found.gold[mine[0]]), Counter(found.answer[mine].tolist())
        by_form: Counter[str] = Counter()
        for at, count in answers.items():
            by_form[forms[at]] += count
        form, _ = max(by_form.items(), key=lambda pair: (pair[1], pair[0]))
        if form == golds[gold]:
            continue
        top = [at for at, _ in answers.most_common() if forms[at] == form]
        rewarded = int(found.correct[mine][np.isin(found.answer[mine], top)].sum())
        others = wrong.total() - int((~found.correct[mine]).sum())
        elsewhere = (wrong[form] - (by_form[form] - rewarded)) / max(others, 1)
        yield _Suspect(int(found.problem[mine[0]]), gold, answers, top, elsewhere, rewarded)


def _row(found: Answers, one: _Suspect, ids: Sequence[str], judge: Judge) -> dict[str, Any] | None:
    """Return what a suspect shows; None where its majority is none, or equal to the gold answer."""
    n, n_top = one.answers.total(), sum(one.answers[at] for at in one.top)
    if n_top < _LIKELY * n or one.rewarded * 2 >= n_top:
        return None
    gold, texts = found.golds[one.gold], [found.texts[at] for at in one.answers]
    of_gold = dict(zip(one.answers, judge.judge((gold, text) for text in texts), strict=True))
    majority = found.written(one.top[0])
    if any(of_gold[at] is not False for at in one.top):
        return None
    same = judge.judge((majority, text) for text in texts)
    members = {at for at, equal in zip(one.answers, same, strict=True) if equal} | set(one.top)
    members -= {at for at in members if of_gold[at]}
    n_majority = sum(one.answers[at] for at in members)
    return {
        "problem_id": ids[one.problem],
        "gold": gold,
        "majority": majority,
        "n": n,
        "n_majority": n_majority,
        "share": n_majority / n,
        "low": float(stats.beta.ppf(0.025, n_majority, n - n_majority + 1)),
        "n_gold": sum(count for at, count in one.answers.items() if of_gold[at]),
        "n_rewarded": one.rewarded,
        "elsewhere": one.elsewhere,
        "example": found.texts[one.top[0]],
    }
