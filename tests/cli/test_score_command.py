"""`limr score`: what it writes, says and refuses."""

import argparse
import json
import subprocess
import sys

import pyarrow as pa
import pytest

from limr.cli import score
from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import (
    DIAGNOSTICS,
    ROLLOUTS,
    SCORES,
    STABILITY,
    TRAJECTORIES,
    Problem,
    write_problems,
)


def run(*argv):
    parser = argparse.ArgumentParser()
    score.configure(parser)
    return score.run(parser.parse_args([str(arg) for arg in argv]))


@pytest.fixture
def curves(tmp_path):
    rows = [("a", 0, 8, 0), ("a", 1, 8, 4), ("b", 0, 8, 8), ("b", 1, 8, 8), ("c", 0, 8, 4)]
    records = [dict(zip(TRAJECTORIES.names, (*row, 0.0), strict=True)) for row in rows]
    files.write_parquet(tmp_path / "t.parquet", pa.Table.from_pylist(records, schema=TRAJECTORIES))
    return tmp_path / "t.parquet"


@pytest.fixture
def steps(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    for step, (prompt, rewards) in enumerate([("a", [1, -0.5]), ("b", [-1, -1]),
                                              ("b", [1, 1]), ("a", [1, 1])], start=1):  # fmt: skip
        rows = [{"prompt": prompt, "response": "x", "reward": reward} for reward in rewards]
        (folder / f"step_{step}.json").write_text(json.dumps(rows))
    return folder


def test_scores_are_written_and_summarised_on_stderr_only(curves, tmp_path, capsys):
    output = tmp_path / "scores.parquet"
    assert run(curves, "--format", "trajectories", "--output", output) == 0
    table = files.read_parquet(output, SCORES).to_pandas().set_index("problem_id")
    # a: (0, .5), b: (1, 1), mean (.5, .75): both 0 (see test_selectors); c lacks an epoch
    assert table["score"].round(12).tolist()[:2] == [0, 0]
    assert table.loc["c", "reason"] == "an epoch is missing"
    said = capsys.readouterr()
    assert said.out == ""
    assert "5 rows read, 5 joined to problems." in said.err
    assert "2 of 3 problems scored." in said.err
    assert "1 not scored: an epoch is missing." in said.err
    assert "Never solved: 0 problems; always: 1." in said.err


def test_epochs_and_selector_options_are_passed_on(curves, tmp_path):
    output = tmp_path / "scores.parquet"
    run(
        curves, "--format", "trajectories", "--epochs", 1, "--missing", "strict", "--output", output
    )
    assert files.read_parquet(output, SCORES)["score"].null_count == 0
    with pytest.raises(InputError, match="Did you mean 'strict'"):
        run(curves, "--format", "trajectories", "--missing", "stric", "--output", output)
    with pytest.raises(InputError, match="'epochs' is not a key"):
        run(curves, "--format", "trajectories", "--selector", "random", "--epochs", 1,
            "--output", output)  # fmt: skip
    with pytest.raises(InputError, match="steps_per_epoch"):
        run(curves, "--format", "trajectories", "--steps-per-epoch", 8, "--output", output)


def test_further_options_go_to_the_format_or_the_selector(curves, tmp_path):
    output = tmp_path / "scores.parquet"
    run(curves, "--format", "trajectories", "--selector", "frontier", "--option", "target=0.25",
        "--option", "prior=0", "--output", output)  # fmt: skip
    assert files.read_parquet(output, SCORES)["score"].to_pylist() == [0.0, -0.75, -0.25]
    for option, message in [("targt=0.2", "Did you mean 'target'"), ("target", "KEY=VALUE"),
                            ("target=high", "must be a number")]:  # fmt: skip
        with pytest.raises(InputError, match=message):
            run(curves, "--format", "trajectories", "--selector", "frontier", "--option", option,
                "--output", output)  # fmt: skip


def test_scores_of_ones_own_say_how_many_ids_are_no_problems(curves, tmp_path, capsys):
    (tmp_path / "own.csv").write_text("id,loss\na,1.5\nzz,2\n")
    output = tmp_path / "scores.parquet"
    run(curves, "--format", "trajectories", "--selector", "external", "--output", output,
        "--option", f"file={tmp_path / 'own.csv'}", "--option", "score_column=loss")  # fmt: skip
    assert files.read_parquet(output, SCORES)["score"].to_pandas().dropna().tolist() == [1.5]
    said = capsys.readouterr().err
    assert "own.csv: 1 of its 2 ids are no problem's: 'zz'." in said
    assert "2 not scored: no score in the file." in said


def test_epochs_may_be_counted_from_the_end(curves, tmp_path):
    output = tmp_path / "scores.parquet"
    run(curves, "--format", "trajectories", "--selector", "frontier", "--output", output,
        "--option", "epochs={last: 1}")  # fmt: skip
    assert files.read_parquet(output, SCORES)["score"].to_pandas().dropna().tolist() == [0.0, -0.5]


def test_a_folder_of_steps_without_problems_gets_ids_that_can_be_joined(steps, tmp_path, capsys):
    output = tmp_path / "scores.parquet"
    run(steps, "--format", "limr-steps", "--steps-per-epoch", 2, "--output", output)
    ids = files.read_parquet(output, SCORES)["problem_id"].to_pylist()
    made = files.read_jsonl(tmp_path / "scores.problems.jsonl")
    assert [row["problem_id"] for row in made] == ids
    assert [row["prompt"] for row in made] == ["a", "b"]
    assert "The prompts behind the ids" in capsys.readouterr().err
    run(steps, "--format", "limr-steps", "--steps-per-epoch", 2, "--output", output,
        "--problems", tmp_path / "scores.problems.jsonl")  # fmt: skip
    assert files.read_parquet(output, SCORES)["problem_id"].to_pylist() == ids


@pytest.mark.parametrize(("cut", "n"), [(["--threshold", "1"], 2), (["--size", "1"], 1)])
def test_the_chosen_problems_can_be_written_too(curves, tmp_path, capsys, cut, n):
    problems, subset = tmp_path / "p.jsonl", tmp_path / "subset.jsonl"
    write_problems(problems, [Problem(key, f"What is {key}?", "1", "t") for key in "abc"])
    common = [curves, "--format", "trajectories", "--selector", "nonzero", *cut]
    common += ["--problems", problems, "--output", tmp_path / "s.parquet"]
    run(*common, "--subset", subset)
    rows = files.read_jsonl(subset)
    assert len(rows) == n
    assert all(row["problem_id"] in "ac" and row["score"] == 1 for row in rows)
    said = capsys.readouterr().err
    assert f"{n} problems chosen" in said
    assert ("1 of the 2 tied at the last place" in said) == (n == 1)
    with pytest.raises(InputError, match="add --subset FILE"):
        run(*common)


def test_never_solved_problems_that_pass_are_warned_of(tmp_path, capsys):
    value = {"never": [0, 0], "half": [0.5, 0.5], "other": [0.25, 0.5]}
    (tmp_path / "a.json").write_text(json.dumps(value))
    run(tmp_path / "a.json", "--format", "accuracy-json", "--output", tmp_path / "s.parquet")
    assert "Warning, at 0.6: 1 of the 3 selected problems were never" in capsys.readouterr().err


def test_how_sure_a_choice_is_can_be_asked_for(tmp_path, capsys):
    value = {f"p{i}": [(i + k) % 9 / 8 for k in range(4)] for i in range(30)}
    (tmp_path / "a.json").write_text(json.dumps(value))
    common = [tmp_path / "a.json", "--format", "accuracy-json", "--output", tmp_path / "s.parquet"]
    run(*common, "--draws", 40)
    said = capsys.readouterr().err
    assert "Drawn again 40 times: of the" in said
    assert "(score ≥ 0.6)" in said  # the paper's cut, where none is given
    assert "Odd and even epochs share" in said
    table = files.read_parquet(tmp_path / "s.diagnostics.parquet", DIAGNOSTICS).to_pandas()
    assert (table["low"] <= table["high"]).all()
    assert table["probability"].between(0, 1).all()
    assert files.read_parquet(tmp_path / "s.epochs.parquet", STABILITY).num_rows == 4
    run(*common, "--draws", 40, "--selector", "variance")
    assert "(the best sixth)" in capsys.readouterr().err
    run(*common, "--draws", 40, "--size", 7, "--subset", tmp_path / "subset.jsonl")
    assert "of the 7 selected (the best 7)" in capsys.readouterr().err
    with pytest.raises(InputError, match="--draws is a number of draws"):
        run(*common, "--draws", 40, "--selector", "random")


def test_published_scores_need_problems(tmp_path):
    scores, output = tmp_path / "s.json", tmp_path / "scores.parquet"
    scores.write_text(json.dumps([{"prompt": "What?", "score": 0.7}]))
    with pytest.raises(InputError, match="--problems is needed"):
        run(scores, "--format", "scores-json", "--output", output)
    listed = tmp_path / "p.json"
    listed.write_text(json.dumps([{"id": "x", "prompt": "What?", "answer": ""}]))
    assert run(scores, "--format", "scores-json", "--problems", listed, "--output", output) == 0
    assert files.read_parquet(output, SCORES)["score"].to_pylist() == [0.7]
    write_problems(tmp_path / "p.jsonl", [Problem("y", "What?", "1", "test")])
    run(scores, "--format", "scores-json", "--problems", tmp_path / "p.jsonl", "--output", output)
    assert files.read_parquet(output, SCORES)["problem_id"].to_pylist() == ["y"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"id": "x"}, "no column of the prompt"),
        ([3], "entry 1: expected an object"),
        ([{"prompt": "a", "id": "x"}, {"prompt": "b"}], "entry 2 needs an 'id'"),
        ([{"id": "x", "prompt": 3}], "entry 1 needs a 'prompt'"),
        ([{"id": "x", "prompt": "a"}, {"id": "x", "prompt": "b"}], "occur twice"),
        ([{"id": "\ud800", "prompt": "a"}], "half of a character pair"),
        ([], "no problems in it"),
    ],
)
def test_problem_files_that_are_none_are_refused(curves, tmp_path, entries, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(InputError, match=message):
        run(curves, "--format", "trajectories", "--problems", path, "--output", tmp_path / "s")


def test_the_command_says_what_is_wrong_in_one_line_and_writes_nothing(tmp_path):
    (tmp_path / "r.parquet").write_bytes(b"PAR1")
    command = [sys.executable, "-m", "limr", "score", "r.parquet", "--format", "rollouts"]
    command += ["--output", "s.parquet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("limr score: r.parquet: not a readable parquet")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "s.parquet").exists()


def test_scoring_rollouts_does_not_load_pandas(tmp_path):
    """A third of the time that a small log would take."""
    row = ("a", 1, 0, 0, 1.0, "correct", 1, False, "x")
    record = dict(zip(ROLLOUTS.names, row, strict=True))
    table = pa.Table.from_pylist([record], schema=ROLLOUTS)
    files.write_parquet(tmp_path / "r.parquet", table)
    code = (
        "import sys; from limr.__main__ import main; "
        "main(['score', 'r.parquet', '--format', 'rollouts', '--output', 's.parquet']); "
        "sys.exit('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
