"""Incorrect label: a well-formed wrong answer is rewarded, the right one is not (arXiv 2506.10947).

A control: it pays for error. Spurious Rewards keeps the problems whose majority answer is wrong and
takes that answer as the label. Here every problem stays, and any well-formed wrong answer counts as
the label: no rollouts have to be made before, and the arm differs from FULL in its reward alone.
docs/deviations.md says what that changes.
"""

from __future__ import annotations

from limr.core.validation import Keys, Number, key
from limr.grading.rewards import verdict

TITLE = "Incorrect-label reward"


class Options(Keys):
    """Keys beside `rule`."""

    incorrect: Number = key(1.0, "Reward of a wrong answer that is well formed.")
    correct: Number = key(-0.5, "Reward of a right answer.")
    malformed: Number = key(-1.0, "Reward where no answer can be read.")


# Paid by verdict, as the paper's reward, with other numbers.
reward, values = verdict.reward, verdict.values
