"""Forgetting: how often a problem that was solved is not solved at the next visit.

Toneva et al. (arXiv 1812.05159) count an event where an example is right at one visit and wrong at
the next. A visit here has n samples, of which a share r is right; of two visits in a row

- `falls` (default) counts max(0, r_k - r_k+1): the fewest events that the two shares allow;
- `expected` counts r_k (1 - r_k+1): the expected number of events if one sample of each visit is
  drawn at random, which counts the noise of a constant rate too.

s_i is the sum over all pairs; epochs without samples are skipped. With one sample a visit both are
Toneva's count. In [0, visits - 1]; an always- or never-solved problem scores 0, and for `falls` a
rising or constant one too. Toneva sets examples that were never learnt to infinity: here they score
0, as they carry no signal. A problem with fewer visits has fewer chances to be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.validation import Keys, key
from limr.scores.selector_kinds import by_pass_rate
from limr.trajectories import curves as tr

TITLE = "Forgetting"
NEEDS_TRAJECTORIES = True
SEEDED = False
ONE_VISIT = "sampled in one epoch only, so nothing could be forgotten"


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    events: Literal["falls", "expected"] = key(
        "falls",
        "What counts between two visits with shares r and r' of correct samples. `falls`: "
        "max(0, r - r'); `expected`: r (1 - r').",
    )


def _forgetting(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return how often each problem was forgotten; NaN where there are no two visits."""
    falls = options["events"] == "falls"
    last = np.full(len(samples.n), np.nan)
    events = np.full(len(samples.n), np.nan)
    for n, correct in zip(samples.n.T, samples.n_correct.T, strict=True):
        seen = n > 0
        share = correct / np.maximum(n, 1)
        event = np.maximum(last - share, 0.0) if falls else last * (1.0 - share)
        events = np.where(seen & ~np.isnan(last), np.fmax(events, 0.0) + event, events)
        last = np.where(seen, share, last)
    return events


score = by_pass_rate(_forgetting, ONE_VISIT)
