"""The rows of a backtest: one per choice, t and measure, with its interval; and their summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from limr.scores.lookahead import COLUMNS, MEASURES
from limr.statistics import bootstrap
from limr.trajectories.curves import Floats

BEHIND = "behind"  # the signal of the best selector minus one's own, paired over prompts
SELECTOR, RANDOM, ORACLE = "selector", "random", "oracle"

# One row per choice, t and measure of `limr.scores.lookahead.MEASURES`; where `t` is null, over all
# compared t, and the measure may be `behind`. Without a choice: one row, `signal`, with a reason.
BACKTEST = pa.schema(
    [
        ("log", pa.string()),
        ("selector", pa.string()),  # with its options, or the name of a score
        ("role", pa.string()),  # selector, random or oracle
        ("t", pa.int32()),  # visits that the choice is made from; null: over `visits` of them
        ("visits", pa.int32()),  # how many t are behind the value
        ("chosen", pa.float64()),  # prompts, a mean over these t
        ("groups", pa.float64()),  # groups of theirs that were looked at
        ("measure", pa.string()),
        ("value", pa.float64()),  # null: not defined, such as a cost without any signal
        ("low", pa.float64()),  # percentile interval over prompts, at `level`
        ("high", pa.float64()),
        ("lowest", pa.float64()),  # over the t
        ("highest", pa.float64()),
        ("reason", pa.string()),  # why there is no value
        ("prompts", pa.int32()),  # of the log
        ("size", pa.int32()),  # prompts to be chosen
        ("horizon", pa.int32()),  # visits t + 1 … t + horizon are looked at
        ("filtered", pa.bool_()),  # gaps are groups without a signal
        ("draws", pa.int32()),
        ("level", pa.float64()),
    ]
)
Row = dict[str, Any]


def ratios(sums: Floats) -> Floats:
    """Return (n_measures, 1 + draws) measures of (n_columns, 1 + draws) sums; NaN: none."""
    parts = [[COLUMNS.index(name) for name in MEASURES[key]] for key in MEASURES]
    above, below = (sums[[pair[side] for pair in parts]] for side in (0, 1))
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _interval(draws: Floats, level: float) -> tuple[float, float]:
    known = draws[~np.isnan(draws)]
    return bootstrap.percentiles(known, level) if len(known) else (np.nan, np.nan)


def measured(sums: Floats, level: float) -> Iterator[Row]:
    """Yield one row per measure.

    Args:
        sums: (n_columns, 1 + draws) over the chosen, over one t or several; the first column is
            that of the prompts as they are (`limr.scores.reselection`).
        level: of the intervals.
    """
    groups = round(float(sums[COLUMNS.index("groups"), 0]), 6)  # a sum of shares of ties
    for name, values in zip(MEASURES, ratios(sums), strict=True):
        low, high = _interval(values[1:], level) if not np.isnan(values[0]) else (np.nan, np.nan)
        yield {"measure": name, "value": values[0], "low": low, "high": high, "groups": groups}


def over_t(sums: Sequence[Floats], level: float) -> Iterator[Row]:
    """Yield one row per measure over several t: the ratio of sums over all of them.

    Args:
        sums: of each t, see `measured`.
        level: of the intervals.
    """
    with np.errstate(invalid="ignore"):
        each = np.stack([ratios(one[:, :1])[:, 0] for one in sums])
        ends = np.fmin.reduce(each), np.fmax.reduce(each)
    for place, row in enumerate(measured(np.sum(sums, axis=0), level)):
        yield row | {"lowest": ends[0][place], "highest": ends[1][place]}


def behind(sums: Mapping[str, Floats], level: float) -> dict[str, Row]:
    """Return choice -> how far its signal is behind that of the best one, with a paired interval.

    Args:
        sums: choice -> its sums over all compared t, see `measured`.
        level: of the intervals.
    """
    place = list(MEASURES).index("signal")
    signal = {name: ratios(each)[place] for name, each in sums.items()}
    best = max(signal, key=lambda name: float(np.nan_to_num(signal[name][0])))
    found = {}
    for name, own in signal.items():
        gap = signal[best] - own
        low, high = _interval(gap[1:], level)
        found[name] = {"measure": BEHIND, "value": gap[0], "low": low, "high": high}
    return found


def rows(
    sums: Mapping[str, Mapping[int, Floats]],
    reasons: Mapping[tuple[str, int], str],
    times: Sequence[int],
    level: float,
) -> list[Row]:
    """Return all rows: of every t, then over the compared t.

    Args:
        sums: choice -> t -> its sums (see `measured`); a t is missing without a choice.
        reasons: why that is, by choice and t.
        times: every t.
        level: of the intervals.
    """
    found: list[Row] = []
    for name, of_t in sums.items():
        role = name if name in (RANDOM, ORACLE) else SELECTOR
        for t in times:
            about = {"selector": name, "role": role, "t": t, "visits": 1}
            if t in of_t:
                about["chosen"] = round(of_t[t][0, 0], 6)
                found += [about | row for row in measured(of_t[t], level)]
            else:
                found.append({**about, "measure": "signal", "reason": reasons[name, t]})
    return found + _compared(sums, reasons, times, level)


def _compared(
    sums: Mapping[str, Mapping[int, Floats]],
    reasons: Mapping[tuple[str, int], str],
    times: Sequence[int],
    level: float,
) -> list[Row]:
    """Return rows over the t at which all have a choice that have one at more than half of them."""
    often = [name for name, of_t in sums.items() if 2 * len(of_t) > len(times)]
    shared = [t for t in times if all(t in sums[name] for name in often)]
    found: list[Row] = []
    total = {name: np.sum([sums[name][t] for t in shared], axis=0) for name in often if shared}
    rivals = {name: total[name] for name in total if name != ORACLE}
    gaps = behind(rivals, level) if rivals else {}
    for name, of_t in sums.items():
        role = name if name in (RANDOM, ORACLE) else SELECTOR
        about: Row = {"selector": name, "role": role, "visits": len(shared)}
        if name in total:
            about["chosen"] = round(total[name][0, 0] / len(shared), 6)
            found += [about | row for row in over_t([of_t[t] for t in shared], level)]
            found += [about | gaps[name]] if name in gaps else []
            continue
        found.append({**about, "visits": len(of_t), "measure": "signal",
                     "reason": _why_not(name, of_t, reasons, times)})  # fmt: skip
    return found


def _why_not(
    name: str,
    of_t: Mapping[int, Floats],
    reasons: Mapping[tuple[str, int], str],
    times: Sequence[int],
) -> str:
    """Return why a choice is not compared: at how few t there is one, and the usual reason."""
    texts = Counter(text for (who, _), text in reasons.items() if who == name)
    usual = texts.most_common(1)[0][0].rstrip(".") if texts else "no t is shared by all"
    begin = f", from t = {min(of_t)}" if of_t else ""
    return f"a choice at {len(of_t)} of {len(times)} t only{begin} ({usual})"


def table(made: Sequence[Row], same: Row) -> pa.Table:
    """Return rows as BACKTEST, NaN as null; `same` are the columns that are alike in all rows."""
    columns = [pa.array([{**same, **row}.get(f.name) for row in made], f.type, from_pandas=True)
               for f in BACKTEST]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=BACKTEST)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per log and choice, best first: its measures over all compared t.

    Choices that were not compared come last, with their reason.

    Args:
        rows: BACKTEST.

    Returns:
        log, selector, role, visits, chosen, groups, a column per measure, and `signal_low`,
        `signal_high`, `signal_lowest`, `signal_highest`, `behind`, `behind_low`, `behind_high`,
        `reason`.
    """
    whole = rows[rows["t"].isna()]
    keys = ["log", "selector", "role"]
    signal = whole[whole["measure"] == "signal"].drop_duplicates(keys).set_index(keys)
    wide = whole.pivot_table("value", keys, "measure", aggfunc="first", dropna=True)
    found = signal[["visits", "chosen", "groups", "reason"]].join(
        wide.reindex(columns=[*MEASURES, BEHIND])
    )
    for name in ("low", "high", "lowest", "highest"):
        found[f"signal_{name}"] = signal[name]
    gap = whole[whole["measure"] == BEHIND].set_index(keys)
    found = found.join(gap[["low", "high"]].add_prefix("behind_")).reset_index()
    places = {log: place for place, log in enumerate(rows["log"].drop_duplicates())}
    order = np.lexsort((-found["signal"].fillna(-1), found["log"].map(places)))
    return found.iloc[order].reset_index(drop=True)
