"""`limr score`: what it writes, says and refuses."""

import argparse
import json

import pyarrow as pa
import pytest

from limr import io
from limr.commands import score
from limr.errors import InputError
from limr.records import SCORES, TRAJECTORIES, Problem, write_problems


def run(*argv):
    parser = argparse.ArgumentParser()
    score.configure(parser)
    return score.run(parser.parse_args([str(arg) for arg in argv]))


@pytest.fixture
def curves(tmp_path):
    rows = [("a", 0, 8, 0), ("a", 1, 8, 4), ("b", 0, 8, 8), ("b", 1, 8, 8), ("c", 0, 8, 4)]
    records = [dict(zip(TRAJECTORIES.names, (*row, 0.0), strict=True)) for row in rows]
    io.write_parquet(tmp_path / "t.parquet", pa.Table.from_pylist(records, schema=TRAJECTORIES))
    return tmp_path / "t.parquet"


def test_scores_are_written_and_summarised_on_stderr_only(curves, tmp_path, capsys):
    output = tmp_path / "scores.parquet"
    assert run(curves, "--format", "trajectories", "--output", output) == 0
    table = io.read_parquet(output, SCORES).to_pandas().set_index("problem_id")
    # a: (0, .5), b: (1, 1), mean (.5, .75): both 0 (see test_selectors); c lacks an epoch
    assert table["score"].round(12).tolist()[:2] == [0, 0]
    assert table.loc["c", "reason"] == "an epoch is missing"
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 of 3 problems scored." in said.err
    assert "1 not scored: an epoch is missing." in said.err


def test_epochs_and_selector_options_are_passed_on(curves, tmp_path):
    output = tmp_path / "scores.parquet"
    run(
        curves, "--format", "trajectories", "--epochs", 1, "--missing", "strict", "--output", output
    )
    assert io.read_parquet(output, SCORES)["score"].null_count == 0
    with pytest.raises(InputError, match="Did you mean 'strict'"):
        run(curves, "--format", "trajectories", "--missing", "stric", "--output", output)
    with pytest.raises(InputError, match="'epochs' is not a key"):
        run(curves, "--format", "trajectories", "--selector", "random", "--epochs", 1,
            "--output", output)  # fmt: skip
    with pytest.raises(InputError, match="steps_per_epoch"):
        run(curves, "--format", "trajectories", "--steps-per-epoch", 8, "--output", output)


def test_published_scores_need_problems(tmp_path):
    scores, output = tmp_path / "s.json", tmp_path / "scores.parquet"
    scores.write_text(json.dumps([{"prompt": "What?", "score": 0.7}]))
    with pytest.raises(InputError, match="--problems is needed"):
        run(scores, "--format", "scores-json", "--output", output)
    listed = tmp_path / "p.json"
    listed.write_text(json.dumps([{"id": "x", "prompt": "What?", "answer": ""}]))
    assert run(scores, "--format", "scores-json", "--problems", listed, "--output", output) == 0
    assert io.read_parquet(output, SCORES)["score"].to_pylist() == [0.7]
    write_problems(tmp_path / "p.jsonl", [Problem("y", "What?", "1", "test")])
    run(scores, "--format", "scores-json", "--problems", tmp_path / "p.jsonl", "--output", output)
    assert io.read_parquet(output, SCORES)["problem_id"].to_pylist() == ["y"]
    assert not list(tmp_path.glob(".*"))
