"""A backtest in words: what it found, as lines for a terminal, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from limr.scores.backtest_rows import summary

NOT_ACCURACY = (
    "Signal is not accuracy: this says which choice would have gone on finding groups with right "
    "and wrong answers, not which one trains better. Only training tells; docs/backtest.md names "
    "the study that would."
)
FILTERED = (
    "The trainer filtered groups: a gap is taken for a group of the usual size without signal, all "
    "right or all wrong; which of the two is not known, so that dead prompts have an upper bound "
    "only. Where the trainer also threw away groups with a signal, such as what a full batch left "
    "over, the share of groups with a signal is too low. The last pass is left out, as it may be "
    "unfinished."
)
_MEANING = (
    "signal: groups with right and wrong answers; over t: its lowest and highest; behind: the best "
    "selector's signal minus this one's, paired; p(1-p): its mean; {waste}; later: prompts with a "
    "signal after that; dead: prompts never solved again; cost: rollouts for each group with a "
    "signal."
)
_WASTE = ("right, wrong: rollouts in groups that are all right, all wrong",
          "waste: rollouts in groups that are all right or all wrong")  # fmt: skip


def lines(table: pd.DataFrame, summed: pd.DataFrame, notes: Sequence[str]) -> list[str]:
    """Return what was done, the summary as a table, what its columns mean, and notes.

    Args:
        table: `limr.scores.backtest_rows.BACKTEST` of one log.
        summed: its `limr.scores.backtest_rows.summary`.
        notes: see `limr.scores.backtest.notes`.
    """
    one = table.iloc[0]
    filtered = bool(one["filtered"])
    compared = summed[summed["signal"].notna()]
    ahead = "visit t + 1" if one["horizon"] == 1 else f"visits t + 1 to t + {one['horizon']}"
    found = [
        f"{one['size']:,} of {one['prompts']:,} prompts chosen from their first t visits, {ahead} "
        f"looked at, over {int(compared['visits'].max())} t; {100 * one['level']:g} % intervals.",
        "",
        *_rows(compared, filtered),
        "",
        _MEANING.format(waste=_WASTE[filtered]),
    ]
    left = summed[summed["signal"].isna()]
    found += [f"Not compared: {row['selector']}, {row['reason']}." for _, row in left.iterrows()]
    return [*found, *([FILTERED] if filtered else []), *notes]


def _rows(compared: pd.DataFrame, filtered: bool) -> list[str]:
    wide = max(map(len, compared["selector"]))
    waste = "waste" if filtered else "right  wrong"
    found = [
        f"{'':{wide}}  signal                    over t        behind                  "
        f"p(1-p)  {waste}  later  dead    cost"
    ]
    for row in compared.to_dict("records"):
        behind = "" if row["role"] == "oracle" else _between(row, "behind")
        parts = [
            f"{row['selector']:{wide}}",
            f"{_between(row, 'signal'):24}",
            f"{row['signal_lowest']:.2f} to {row['signal_highest']:.2f}",
            f"{behind:23}",
            f"{row['variance']:6.3f}",
            *(
                f"{row[key]:.3f}"
                for key in (["either"] if filtered else ["all_right", "all_wrong"])
            ),
            f"{row['later']:.3f}",
            f"≤{row['dead_at_most']:.3f}" if filtered else f" {row['dead']:.3f}",
            f"{row['cost']:5.1f}",
        ]
        found.append("  ".join(parts).replace("nan", "  –"))
    return found


def _between(row: Mapping[Hashable, Any], name: str) -> str:
    """Return a number with its interval, such as `0.953 (0.948 to 0.961)`."""
    value, low, high = (f"{row[key]:.3f}" for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value} ({low} to {high})"


def sentences(table: pd.DataFrame) -> list[str]:
    """Return what a study's backtest found: that signal is not accuracy, then a sentence per log.

    Args:
        table: `limr.scores.backtest_rows.BACKTEST` of one log or several.
    """
    found = [NOT_ACCURACY]
    for log, rows in summary(table).groupby("log", sort=False):
        tested = rows[(rows["role"] == "selector") & rows["signal"].notna()]
        if tested.empty:
            found.append(f"{log}: not tested: {rows['reason'].iloc[0]}")
            continue
        best, last = tested.iloc[0].to_dict(), tested.iloc[-1]
        random = rows[rows["role"] == "random"].iloc[0]
        ties = tested["selector"][tested["behind_low"] <= 0].iloc[1:]
        alike = f" It cannot be told from {', '.join(ties)}." if len(ties) else ""
        found.append(
            f"{log}: of the groups of prompts that {best['selector']} would have chosen, a share "
            f"of {_between(best, 'signal')} had a signal at the next visits (mean of "
            f"{best['visits']:g} choices, each from the first t visits); of random prompts "
            f"{random['signal']:.3f}; of the last of {len(tested)} selectors, "
            f"{last['selector']}, {last['signal']:.3f}.{alike}"
        )
    return found


def reached(summed: pd.DataFrame, least: float) -> tuple[bool, list[str]]:
    """Return whether the signal of every selector is at least so much, with a sentence for each.

    A selector without a number has not reached it.
    """
    every, said = True, []
    for row in summed[summed["role"] == "selector"].to_dict("records"):
        enough = bool(row["signal"] >= least)
        every &= enough
        known = pd.notna(row["signal"])
        found = f"signal {_between(row, 'signal')}" if known else f"no signal: {row['reason']}"
        said.append(f"{row['selector']}: {found}; {'' if enough else 'not '}at least {least:g}.")
    return every, said
