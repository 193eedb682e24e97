"""What was chosen when: the problems of each round of an arm, over its seeds."""

from __future__ import annotations

import pandas as pd

from limr.analysis import subset_records
from limr.analysis.results import Group, Inputs
from limr.core.errors import InputError

Round = tuple[Group, int, list[list[str]]]


def _rounds(inputs: Inputs) -> dict[str, list[Round]]:
    """Return group -> its rounds, in order: group, first step, the problems of each of its runs.

    An arm that chooses once has one round. Everything and random problems are no choice.

    Raises:
        InputError: no arm chooses.
    """
    found: dict[str, list[Round]] = {}
    ways = {arm["name"]: arm for arm in inputs.study["arms"]}
    for group in inputs.groups:
        if not subset_records.is_chosen(subset_records.group_record(inputs, group)):
            continue
        by_round: dict[int, list[list[str]]] = {}
        for name in group.arms:
            first = ways[name].get("way", [["", 0]])[-1][1] + 1
            for one, step in ways[name].get("rounds", [[name, first]]):
                ids = inputs.subsets.get(one, {}).get("problem_ids")
                if ids is not None:
                    by_round.setdefault(int(step), []).append(list(ids))
        if by_round:
            found[group.name] = [(group, step, ids) for step, ids in sorted(by_round.items())]
    if not found:
        raise InputError("no arm of this study chooses its problems by a score.")
    return found


def counted(inputs: Inputs) -> pd.DataFrame:
    """Return one row per arm, round and problem that was chosen in any round of the arm.

    Returns:
        group, title, round (from 1), first step, runs, problem_id, chosen (runs that chose it).
    """
    rows: list[dict[str, object]] = []
    for name, parts in _rounds(inputs).items():
        every = dict.fromkeys(id_ for _, _, chosen in parts for ids in chosen for id_ in ids)
        for number, (group, step, chosen) in enumerate(parts, start=1):
            sets = [set(ids) for ids in chosen]
            rows += [
                {"group": name, "title": group.title, "round": number, "first step": step,
                 "runs": len(sets), "problem_id": id_, "chosen": sum(id_ in one for one in sets)}
                for id_ in every
            ]  # fmt: skip
    return pd.DataFrame(rows)


def summary(inputs: Inputs) -> pd.DataFrame:
    """Return one row per arm and round: how many problems, and how they differ from before.

    Returns:
        arm, round, first step, runs; means over runs: problems, kept (from the round before), new;
        and distinct, problems that any run chose.
    """
    rows = []
    for parts in _rounds(inputs).values():
        before: list[set[str]] | None = None
        for number, (group, step, chosen) in enumerate(parts, start=1):
            sets = [set(ids) for ids in chosen]
            kept = None
            if before is not None and len(before) == len(sets):
                pairs = zip(sets, before, strict=True)
                kept = sum(len(now & then) for now, then in pairs) / len(sets)
            size = sum(map(len, sets)) / len(sets)
            rows.append(
                {"arm": group.title, "round": number, "first step": step, "runs": len(sets),
                 "problems": size, "kept": kept, "new": None if kept is None else size - kept,
                 "distinct": len(set.union(*sets))}
            )  # fmt: skip
            before = sets
    return pd.DataFrame(rows).astype({"kept": "Float64", "new": "Float64"})
