"""An evaluation of a policy: each benchmark's strictness, and why a verdict is not correct."""

from contextlib import ExitStack

import pytest

from limr.core import files
from limr.core.tables import EVALUATIONS, REASONS, Problem, Response
from limr.evaluate import collect, evaluation

ANSWERS = ("3+4", "8", "7 \\text{ probably}")
GREEDY = {"name": "greedy", "samples": 3, "temperature": 0, "top_p": 1.0, "max_tokens": 9}
BENCHMARKS = {
    "plain": {"title": "Plain", "version": 1, "decodings": [GREEDY]},
    "other": {"title": "Other", "version": 1, "decodings": [GREEDY]},
    "loose": {"title": "L", "version": 1, "decodings": [GREEDY], "strictness": "evaluation"},
}
KEYS = {"arm": "a", "group": "a", "train": "ppo", "seed": 2, "step": 1}


class Repeats:
    """A policy that gives the same three answers to everything."""

    def generate(self, prompts, decoding, seed):
        return [[Response(f"\\boxed{{{text}}}", 3, False) for text in ANSWERS] for _ in prompts]


def evaluated(folder):
    """Return each benchmark's table and summary, written to `folder` too."""
    found = {}
    with ExitStack() as stack:
        pools = evaluation.pools({"answer": "box"}, BENCHMARKS, stack)
        assert pools["plain"] is pools["other"]
        assert pools["plain"] is not pools["loose"]
        for name, settings in BENCHMARKS.items():
            problems = [Problem("q", "What?", "7", "made")]
            found[name] = evaluation.evaluate(Repeats(), problems, name, settings, pools[name], 2)
            files.write_parquet(folder / name, found[name][0])
    return found


@pytest.mark.slow
def test_benchmarks_keep_their_strictness_and_reasons(tmp_path):
    found = evaluated(tmp_path)
    table, summary = found["plain"]
    assert table["reason"].to_pylist() == ["not-compared", "different", "not-understood"]
    assert summary["greedy"]["incorrect_because"] == {
        "different": 1,
        "not-compared": 1,
        "not-understood": 1,
    }
    loose, summary = found["loose"]
    assert loose["verdict"].to_pylist() == ["correct", "incorrect", "incorrect"]
    assert summary["settings"]["strictness"] == "evaluation"
    entries = [({**KEYS, "benchmark": name}, tmp_path / name) for name in BENCHMARKS]
    collected = collect.collect_evaluations(entries)
    assert collected["not_understood"].to_pylist() == [1 / 3] * 3


@pytest.mark.slow
def test_evaluations_of_older_versions_are_read(tmp_path):
    evaluated(tmp_path)
    table = files.read_parquet(tmp_path / "plain", EVALUATIONS)  # as they wrote it
    assert "incorrect_because" not in collect.summarise_evaluation(table)["greedy"]
    files.write_parquet(tmp_path / "old", table)
    assert files.read_parquet(tmp_path / "old", EVALUATIONS, newer=REASONS).equals(table)
    entries = [({**KEYS, "benchmark": name}, tmp_path / name) for name in ("plain", "old")]
    assert collect.collect_evaluations(entries).schema.equals(collect.COLLECTED_EVALUATIONS)
