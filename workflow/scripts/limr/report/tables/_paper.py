"""This study's numbers beside the paper's: shared by `paper-table-2` and `paper-table-3`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import contrasts, paper, results, subset_records
from limr.analysis.results import Group, Inputs
from limr.core.validation import Keys, key
from limr.report import table_text

REQUIRES = ("subsets", "paper")
OPTIONAL = ("evaluations",)


class Options(Keys):
    """Keys of `tables.paper-table-2` and `tables.paper-table-3`."""

    arms: paper.ArmNames = key({})


COLUMNS = ("arm", "measure", "ours", "low", "high", "paper's", "gap", "n", "seeds", "draws", "step",
           "level", "our decoding", "paper's decoding", "paper's row")  # fmt: skip


def build(inputs: Inputs, options: Mapping[str, Any], table: int) -> pd.DataFrame:
    """Return one row per arm and measure: the size of its problem set, each benchmark, their mean.

    The paper's number is given only where arm and benchmark are the same; that of the mean, only
    where the study has the paper's benchmarks and no others.
    """
    rows: list[dict[str, Any]] = []
    theirs = paper.rows_by_group(inputs, table, options["arms"])
    for group in inputs.groups:
        row = theirs.get(group.name)
        if row is not None:
            rows += _problems(inputs, group, row, table)
            rows += _accuracies(inputs, group, row, table) if _has_results(inputs, group) else []
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _has_results(inputs: Inputs, group: Group) -> bool:
    frame = inputs.evaluations
    return frame is not None and bool((frame["group"] == group.name).any())


def _problems(inputs: Inputs, group: Group, row: paper.Json, table: int) -> list[dict[str, Any]]:
    record = subset_records.group_record(inputs, group)
    if record is None:
        return []
    same = record["n_problems"] == paper.of(inputs)["problems"]
    ours, theirs = record["n_selected"], row.get("questions") if same else None
    return [
        {
            "arm": group.title,
            "measure": "problems",
            "ours": ours,
            "paper's": pd.NA if theirs is None else theirs,
            "gap": pd.NA if theirs is None else ours - theirs,
            "draws": group.draws,
            "paper's row": pd.NA if theirs is None else f"{row['name']}, Table {table}",
        }
    ]


def _accuracies(inputs: Inputs, group: Group, row: paper.Json, table: int) -> list[dict[str, Any]]:
    known = paper.of(inputs)["benchmarks"]
    titles = results.benchmarks(inputs)
    measures = {title: [name] for name, title in titles.items()} | {"mean": list(titles)}
    rows = []
    for title, names in measures.items():
        key = "average" if title == "mean" and set(names) == set(known) else names[0]
        theirs = row.get(key) if title != "mean" or key == "average" else None
        interval = contrasts.group_interval(inputs, group.name, names)
        rows.append(
            {
                "arm": group.title,
                "measure": title,
                **interval.percent("ours"),
                "paper's": pd.NA if theirs is None else float(theirs),
                "gap": pd.NA if theirs is None else 100 * interval.mean - theirs,
                "n": interval.n_questions,
                "seeds": results.n_seeds(inputs, group.name),
                "draws": group.draws,
                "step": results.reported_step(inputs, group.name),
                "level": 100 * results.declared(inputs).level,
                "our decoding": _decoding(inputs, names),
                "paper's decoding": known[key]["decoding"] if key in known and theirs else pd.NA,
                "paper's row": pd.NA if theirs is None else f"{row['name']}, Table {table}",
            }
        )
    return rows


def _decoding(inputs: Inputs, names: list[str]) -> Any:
    if len(names) > 1:
        return pd.NA
    frame = results.evaluated(inputs)
    wanted = results.decodings(frame, names[0])[0]
    known = inputs.study.get("decodings", {}).get(names[0], ())
    found = next((entry for entry in known if entry["name"] == wanted), None)
    return table_text.decoding(found) if found else wanted


def _level(frame: pd.DataFrame) -> str:
    known = pd.to_numeric(frame["level"]).dropna()
    return f"{known.iloc[0]:g} % " if len(known) else ""


def caption(frame: pd.DataFrame, table: int) -> str:
    """Say what is compared with what."""
    beside = int(frame["paper's"].notna().sum())
    return (
        f"Ours beside the paper's Table {table} (arXiv 2502.11886). Ours: size of the problem set, "
        f"and accuracy in percent at the arm's reported step with its {_level(frame)}interval "
        "(low to high) over runs and n questions. The paper's: one run, no interval, no step; "
        "shown only where the study has the same arm, problems and benchmark "
        f"({beside} of {len(frame)} rows). gap: ours − the paper's, in points or problems."
    )
