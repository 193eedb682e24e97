"""How far the scores of a log would be others with other visits."""

from __future__ import annotations

from limr.core.errors import InputError
from limr.look.look import SEED
from limr.look.looked import Looked
from limr.scores import agreement, diagnostics
from limr.scores.agreement import Agreement
from limr.scores.scoring import ProblemSet

SHARE = 1 / 6  # of the prompts that are compared as the best, about what the paper keeps
_SHOWN = 6  # numbers of first visits


def compared(looked: Looked) -> list[tuple[str, Agreement]]:
    """Return how far scores from some visits agree with others, each with its name.

    The scores from the first visits against those from all, and from the odd visits against the
    even ones. Empty where there are no two visits, or the selector cannot score from fewer.
    """
    ids = looked.prompts["problem_id"].tolist()
    samples = looked.imported.samples
    samples = samples.first(samples.whole or None)
    if samples.n_epochs < 2:
        return []
    samples = type(samples)(samples.n[looked.place], samples.n_correct[looked.place])
    problems = ProblemSet(ids, [None] * len(ids))
    try:
        of = diagnostics.subject(
            problems, samples, looked.selector, looked.options, seed=SEED, name=looked.selector
        )
        every = agreement.first_epochs(of.samples, of.rescore, SHARE)
        halves = agreement.odd_even(of.samples, of.rescore, SHARE)
    except InputError:
        return []
    n = of.samples.n_epochs
    found = [
        (f"first visit, all {n}" if k == 1 else f"first {k} visits, all {n}", every[k])
        for k in _some(sorted(every))
    ]
    if halves is not None:
        found.append(("odd visits, even visits", halves))
    return [(name, one) for name, one in found if one.n > 1]


def _some(numbers: list[int]) -> list[int]:
    """Return a few numbers of a sorted list, evenly spaced, the last one included."""
    if len(numbers) <= _SHOWN:
        return numbers
    return sorted({numbers[round(k * (len(numbers) - 1) / (_SHOWN - 1))] for k in range(_SHOWN)})
