"""`limr look`: what it says, writes and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from limr.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look") / "example"
    script = ROOT / "docs/example_logs.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


def look(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["look", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_log_to_its_folder(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = look(capsys, example / "rollouts", "--output", tmp_path / "seen", "--csv")
    assert code == 0
    for part in ("verl-jsonl", "What 'score' was taken for", "learning", "Best by lim", "Worst"):
        assert part in said
    table = pd.read_parquet(tmp_path / "seen/prompts.parquet")
    assert len(table) == len(pd.read_csv(tmp_path / "seen/prompts.csv")) == 120
    summary = json.loads((tmp_path / "seen/summary.json").read_text())
    assert summary["counts"]["prompts"] == 120
    assert sum(summary["counts"][name] for name in ("dead", "solved", "learning", "unclear")) == 120
    assert {value["taken_for"] for value in summary["values"]} == {"correct", "wrong"}
    assert (tmp_path / "seen/report.html").read_text().lstrip().startswith("<!doctype html>")


def test_the_same_bytes_twice(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        look(capsys, example / "rollouts", "--output", tmp_path / name)
    for name in ("prompts.parquet", "summary.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_both_trainers_logs_of_one_run_give_the_same(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = example / "train.parquet"
    for name in ("rollouts", "completions"):
        look(capsys, example / name, "--data", data, "--output", tmp_path / name)
    one, other = (pd.read_parquet(tmp_path / name / "prompts.parquet")
                  for name in ("rollouts", "completions"))  # fmt: skip
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("name", ["best.parquet", "best.jsonl.gz", "best.csv"])
def test_the_chosen_rows_go_back_to_the_trainer(
    example: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data, target = example / "train.parquet", tmp_path / name
    code, said, _ = look(capsys, example / "rollouts", "--data", data, "--top", 30, "--as", target,
                         "--output", tmp_path / "seen")  # fmt: skip
    assert code == 0
    assert "30 rows of 30 prompts" in said
    if name == "best.parquet":
        best = set(pd.read_parquet(tmp_path / "seen/prompts.parquet")["problem_id"].head(30))
        rows = pq.read_table(target).to_pylist()
        assert pq.read_schema(target).equals(pq.read_schema(data))
        assert {str(row["extra_info"]["index"]) for row in rows} == best
        whole = pq.read_table(data).to_pylist()
        assert rows == [row for row in whole if str(row["extra_info"]["index"]) in best]
    code, _, said = look(capsys, example / "rollouts", "--data", data, "--top", 3, "--as", target)
    assert code == 2
    assert str(target) in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "x.parquet"], "--as needs --data"),
        (["--as", "x.parquet", "--data", "{data}"], "--top K or --threshold T"),
        (["--top", "0"], "at least 1 prompt"),
        (["--top", "1000"], "only 120 prompts have a score"),
        (["--map", "prompt"], "NAME=COLUMN"),
        (["--option", "x"], "KEY=VALUE"),
        (["--option", "bad_rows=[", "--format", "verl-jsonl"], "bad_rows"),
        (["--selector", "lim", "--option", "missin=backfill"], "Did you mean 'missing'"),
        (["--data", "nowhere.parquet"], "nowhere.parquet"),
    ],
)
def test_bad_usage_writes_nothing(
    example: Path, tmp_path: Path, arguments: list[str], message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given = [text.format(data=example / "train.parquet") for text in arguments]
    seen = tmp_path / "seen"
    code, _, said = look(capsys, example / "rollouts", "--output", seen, *given)
    assert code == 2
    assert message in said
    assert not seen.exists()


def test_a_data_file_of_other_problems_is_refused(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "other.jsonl"
    data.write_text(
        "\n".join(json.dumps({"prompt": f"Other {i}?", "answer": "1"}) for i in range(5))
    )
    code, _, said = look(
        capsys, example / "rollouts", "--data", data, "--output", tmp_path / "seen"
    )
    assert code == 2
    assert "Is it the log of another data set?" in said
    assert not (tmp_path / "seen").exists()


def test_a_threshold_that_nothing_reaches_loses_nothing(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = look(capsys, example / "rollouts", "--data", example / "train.parquet",
                         "--threshold", 2, "--as", tmp_path / "x.parquet", "--output",
                         tmp_path / "seen")  # fmt: skip
    assert code == 0
    assert "No prompt has a score of 2 or more" in said
    assert (tmp_path / "seen/prompts.parquet").exists()
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.slow
def test_a_pipe_is_a_log(example: Path, tmp_path: Path) -> None:
    command = f"limr look <(cat {example}/rollouts/*.jsonl) --output {tmp_path}/seen"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "120 prompts" in done.stdout


def test_hostile_texts_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "1.jsonl"
    odd = "\x1b]0;owned\x07\u202e<b>" + "x" * 10**6
    path.write_text(json.dumps({"input": odd, "output": odd, "score": 1.0, "step": 1}))
    code, said, _ = look(capsys, path, "--output", tmp_path / "seen")
    assert code == 0
    assert not any(ord(character) < 32 and character != "\n" for character in said)
    assert "\u202e" not in said
    assert len(said) < 5000


def test_every_finding_has_its_paragraph() -> None:
    """A code that the library can give is explained under its own heading."""
    import re

    library = ROOT / "workflow/scripts/limr"
    page = (ROOT / "docs/logs.md").read_text()
    explained = set(re.findall(r"^### ([a-z-]+)$", page, re.MULTILINE))
    given = set()
    for path in [*library.glob("trajectories/*.py"), *library.glob("look/*.py")]:
        given |= set(re.findall(r"\badd\(\s*\"([a-z-]+)\"", path.read_text()))
    assert given
    assert given <= explained, given - explained
