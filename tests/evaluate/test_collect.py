"""Collecting evaluations and metrics, and the summary of one evaluation."""

import pyarrow as pa
import pytest

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import DRAWN, EVALUATIONS, METRICS
from limr.evaluate import collect
from limr.statistics.intervals import wilson


def responses(rows):
    """Rows of (problem_id, decoding, sample, verdict, format, tokens, truncated)."""
    keys = ("problem_id", "decoding", "sample", "verdict", "format", "response_tokens", "truncated")
    records = [
        {**dict(zip(keys, row, strict=True)), "answer": None, "response": "x"} for row in rows
    ]
    return pa.Table.from_pylist(records, schema=EVALUATIONS)


ROWS = [
    ("q2", "sampled", 0, "correct", "", 4, False),
    ("q2", "sampled", 1, "incorrect", "", 6, False),
    ("q1", "sampled", 0, "malformed", "no-box", 8, True),
    ("q1", "sampled", 1, "malformed", "truncated", 8, True),
    ("q2", "greedy", 0, "correct", "", 3, False),
    ("q1", "greedy", 0, "incorrect", "", 5, False),
]
KEYS = {"arm": "rand-1", "group": "rand", "train": "ppo", "seed": 2, "step": 12, "benchmark": "b"}


def test_evaluations_are_counted_by_problem_and_decoding(tmp_path):
    files.write_parquet(tmp_path / "e", responses(ROWS))
    table = collect.collect_evaluations([(KEYS, tmp_path / "e")])
    assert table.schema.equals(collect.COLLECTED_EVALUATIONS)
    assert table.to_pylist() == [
        {**KEYS, "decoding": "sampled", "problem_id": "q2", "n": 2, "n_correct": 1,
         "response_tokens": 5.0, "truncated": 0.0, "malformed": 0.0},
        {**KEYS, "decoding": "sampled", "problem_id": "q1", "n": 2, "n_correct": 0,
         "response_tokens": 8.0, "truncated": 1.0, "malformed": 1.0},
        {**KEYS, "decoding": "greedy", "problem_id": "q2", "n": 1, "n_correct": 1,
         "response_tokens": 3.0, "truncated": 0.0, "malformed": 0.0},
        {**KEYS, "decoding": "greedy", "problem_id": "q1", "n": 1, "n_correct": 0,
         "response_tokens": 5.0, "truncated": 0.0, "malformed": 0.0},
    ]  # fmt: skip


def test_doubled_empty_and_absent_evaluations_are_refused(tmp_path):
    files.write_parquet(tmp_path / "e", responses([*ROWS, ROWS[0]]))
    with pytest.raises(InputError, match=r"1 responses occur twice.*q2"):
        collect.collect_evaluations([(KEYS, tmp_path / "e")])
    files.write_parquet(tmp_path / "e", responses([]))
    with pytest.raises(InputError, match="no responses"):
        collect.collect_evaluations([(KEYS, tmp_path / "e")])
    with pytest.raises(InputError, match="nothing to collect"):
        collect.collect_evaluations([])


def test_metrics_keep_missing_columns_missing(tmp_path):
    row = {"step": 1, "epoch": 0, "loss": 2.5, "tokens": 7, "seconds": 0.1}
    files.write_parquet(tmp_path / "m", pa.Table.from_pylist([row], schema=METRICS))
    keys = {"arm": "sft", "group": "sft", "train": "sft", "seed": 1}
    table = collect.collect_metrics([(keys, tmp_path / "m"), ({**keys, "seed": 2}, tmp_path / "m")])
    assert table.schema.equals(collect.COLLECTED_METRICS)
    assert table["seed"].to_pylist() == [1, 2]
    assert table["mean_reward"].to_pylist() == [None, None]
    assert table["loss"].to_pylist() == [2.5, 2.5]
    assert table["tokens"].to_pylist() == [7, 7]


def test_what_samplers_drew_is_collected_and_null_where_a_run_has_none(tmp_path):
    row = {"step": 1, "epoch": 0, "tokens": 7, "seconds": 0.1}
    files.write_parquet(tmp_path / "plain", pa.Table.from_pylist([row], schema=METRICS))
    drew = dict.fromkeys(DRAWN.names, 3)
    schema = pa.schema([*METRICS, *DRAWN])
    files.write_parquet(tmp_path / "dapo", pa.Table.from_pylist([row | drew], schema=schema))
    keys = {"group": "x", "train": "ppo", "seed": 1}
    entries = [({**keys, "arm": name}, tmp_path / name) for name in ("plain", "dapo")]
    table = collect.collect_metrics(entries)
    assert table.schema.equals(pa.schema([*collect.COLLECTED_METRICS, *DRAWN]))
    for name in DRAWN.names:
        assert table[name].to_pylist() == [None, 3]
    assert collect.collect_metrics(entries[:1]).schema.equals(collect.COLLECTED_METRICS)


def test_summary_of_an_evaluation():
    summary = collect.summarise_evaluation(responses(ROWS))
    assert list(summary) == ["sampled", "greedy"]
    greedy, sampled = summary["greedy"], summary["sampled"]
    assert greedy["interval_method"] == "Wilson"
    assert greedy["interval_95"] == list(wilson(1, 2))
    assert greedy["accuracy"] == 0.5
    assert sampled["n_problems"] == 2
    assert sampled["n_responses"] == 4
    assert sampled["accuracy"] == 0.25
    assert sampled["interval_method"] == "Wilson, by the spread between problems"
    assert sampled["interval_95"][0] <= 0.25 <= sampled["interval_95"][1]
    assert sampled["malformed"] == 0.5
    assert sampled["truncated"] == 0.5
    assert sampled["no_box"] == 0.25
    assert sampled["mean_response_tokens"] == 6.5
    assert sampled["verdicts"] == {"correct": 1, "incorrect": 1, "malformed": 2}
    assert sampled["format_rules_broken"] == {"no-box": 1, "truncated": 1}


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (3, 2), (4, 5), (5, 4)])
def test_every_combination_of_keys_is_a_group_of_its_own(sizes):
    kinds = [[None, *(f"{column}{n}" for n in range(size))] for column, size in enumerate(sizes)]
    pairs = [(one, other) for other in kinds[1] for one in kinds[0]] * 2
    table = pa.table({"one": [one for one, _ in pairs], "other": [other for _, other in pairs]})
    first, group = collect._groups(table, "one", "other")
    assert first.tolist() == list(range(len(pairs) // 2))
    assert group.tolist() == [*range(len(pairs) // 2)] * 2
