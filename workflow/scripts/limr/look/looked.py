"""What `limr look` found in a log: everything that its terminal, its files and its page show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from limr.scores.enough import Outlook
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Finding
from limr.trajectories.reading import Imported

# Columns of `Looked.prompts` and of prompts.parquet, best first:
#   problem_id, prompt: texts
#   n, n_correct, visits: samples, correct ones, visits
#   pass_rate: n_correct / n
#   first, last: accuracy of the first and of the last visit
#   score: the selector's; NaN where there is none
#   low, high: the score if every missing visit had been all wrong, all right, in either order
#   belongs: chance of being among the best sixth of unlimited samples; NaN where it is not known
#   class: one of CLASSES
COLUMNS = ("problem_id", "prompt", "n", "n_correct", "pass_rate", "first", "last", "visits",
           "score", "low", "high", "belongs", "class")  # fmt: skip
# dead: (nearly) never solved; solved: (nearly) always; learning: in between, or rising; unclear:
# too few samples to say; by intervals of the pass rate, not by point estimates.
CLASSES = ("dead", "solved", "learning", "unclear")


@dataclass(frozen=True)
class Looked:
    """One look at a log.

    Attributes:
        log: how the user named it.
        imported: the log as it was read, with its findings, values and rollouts.
        selector: name of the selector.
        options: its options, completed.
        prompts: one row per prompt that the log has, best first; see COLUMNS.
        place: (n_rows of prompts,) each prompt's place among `imported.problem_ids`.
        counts: class -> number of prompts.
        findings: those of the reader, then what was noticed afterwards.
        evidence: name -> table behind a finding, such as `gold-contradicted`.
        outlook: how sure the choice of the best is; None where the samples cannot say.
    """

    log: str
    imported: Imported
    selector: str
    options: Mapping[str, Any]
    prompts: pd.DataFrame
    place: Ints
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    evidence: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    outlook: Outlook | None = None

    @property
    def curves(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(n_rows of prompts, n_visits) accuracy; NaN = not sampled."""
        return self.imported.samples.accuracy[self.place]
