"""What prompts did after visit t: what their groups taught, wasted, and became.

A group is the n samples of a prompt at one visit, k of them right. It carries a signal for training
where 0 < k < n; where all are right or all are wrong, a method that compares the samples of a group
learns nothing from it. k (n - k) / (n (n - 1)) has the expectation p (1 - p): dividing by n would
be too low by a factor 1 - 1/n.

A gap (no group at a visit) is left out, except in a log whose trainer filters groups: there it is
taken for a group of the usual size without signal, all right or all wrong, which of the two is not
known. So shares of signal are numbers there, and what waste consists of has bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from limr.trajectories import curves as tr

# Measure -> what is summed over the chosen prompts, and what the sum is divided by.
MEASURES = {
    "signal": ("signal", "groups"),  # share of groups with a signal
    "variance": ("variance", "measured"),  # mean p (1 - p), of groups of two or more
    "per_rollout": ("variance", "rollouts"),  # sum of p (1 - p), by rollouts
    "all_right": ("all_right", "rollouts"),  # share of rollouts in groups that are all right
    "all_wrong": ("all_wrong", "rollouts"),  # … all wrong
    "either": ("either", "rollouts"),  # … one of the two, unknown which
    "later": ("later", "with_later"),  # share of prompts with a signal after the look-ahead
    "dead": ("dead", "with_rest"),  # share of prompts with no right answer at any visit after t
    "dead_at_most": ("dead_at_most", "with_rest"),  # … if every unknown group was all wrong
    "cost": ("rollouts", "signal"),  # rollouts for each group with a signal
}
COLUMNS = ("chosen", *dict.fromkeys(name for pair in MEASURES.values() for name in pair))


@dataclass(frozen=True)
class Lookahead:
    """The visits of a log, to be looked at from any t.

    Attributes:
        samples: every visit.
        filtered: whether the trainer throws away groups without signal, so that a gap is one.
    """

    samples: tr.Samples
    filtered: bool

    @cached_property
    def usual(self) -> int:
        """The usual size of a group."""
        n = self.samples.n
        return int(np.median(n[n > 0]))

    @cached_property
    def signal(self) -> tr.Flags:
        """(n_problems, n_visits) which groups have right and wrong samples."""
        found: tr.Flags = (self.samples.n_correct > 0) & (self.samples.n_correct < self.samples.n)
        return found

    def _from(self, flags: tr.Flags) -> tr.Flags:
        """Return (n_problems, n_visits + 1) whether a flag is set at this visit or a later one."""
        later = np.zeros((len(flags), flags.shape[1] + 1), bool)
        later[:, :-1] = np.logical_or.accumulate(flags[:, ::-1], axis=1)[:, ::-1]
        return later

    @cached_property
    def _signal_from(self) -> tr.Flags:
        return self._from(self.signal)

    @cached_property
    def _right_from(self) -> tr.Flags:
        return self._from(self.samples.n_correct > 0)

    @cached_property
    def _seen_from(self) -> tr.Flags:
        return self._from(self.samples.n > 0)

    def columns(self, t: int, horizon: int) -> tr.Floats:
        """Return (n_problems, len(COLUMNS)) what each prompt adds to the sums of MEASURES.

        Args:
            t: visits that are known; at least one more must follow.
            horizon: visits t + 1 … t + horizon are looked at; `later` is what comes after them.
        """
        ahead = slice(t, t + horizon)
        n, k = self.samples.n[:, ahead], self.samples.n_correct[:, ahead]
        gap, pairs = n == 0, n * (n - 1)
        unknown = self.usual * gap if self.filtered else 0 * gap
        rest = np.ones(len(n), bool) if self.filtered else self._seen_from[:, t]
        after = rest if self.filtered else self._seen_from[:, t + horizon]
        dead = self._seen_from[:, t] & ~self._right_from[:, t]
        found = {
            "chosen": np.ones(len(n)),
            "groups": (~gap | self.filtered).sum(axis=1),
            "signal": self.signal[:, ahead].sum(axis=1),
            "measured": ((n > 1) | (gap & self.filtered)).sum(axis=1),
            "variance": (k * (n - k) / np.maximum(pairs, 1)).sum(axis=1),
            "rollouts": (n + unknown).sum(axis=1),
            "all_right": (n * (k == n)).sum(axis=1),
            "all_wrong": (n * (k == 0)).sum(axis=1),
            "either": unknown.sum(axis=1),
            "with_later": after & (t + horizon < self.samples.n_epochs),
            "later": self._signal_from[:, t + horizon],
            "with_rest": rest,
            "dead": dead,
            "dead_at_most": dead | ~self._seen_from[:, t] & self.filtered,
        }
        return np.stack([found[name] for name in COLUMNS], axis=1).astype(float)

    def known_signal(self, t: int, horizon: int) -> tr.Floats:
        """Return (n_problems,) the share of groups looked at that have a signal; NaN = no group.

        It is what the oracle ranks by: no choice can hold more groups with a signal.
        """
        found = self.columns(t, horizon)
        groups = found[:, COLUMNS.index("groups")]
        share = np.full(len(found), np.nan)
        np.divide(found[:, COLUMNS.index("signal")], groups, out=share, where=groups > 0)
        return share
