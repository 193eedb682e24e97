"""What people mistype and mistake, and the one sentence that each of them reads.

Every command ends with 2, without a traceback and without a dump of the usage.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.__main__ import main
from limr.core import files

CURVES = {"a": [0, 0.5, 1], "b": [0, 0, 0.5], "c": [1, 1, 1]}
ROWS = [
    {"prompt": "1+1?", "completion": "2", "reward": 1.0, "step": 1},
    {"prompt": "1+2?", "completion": "2", "reward": 0.0, "step": 1},
]
SCORE = "score curves.json --format accuracy-json --option samples=8 --output x.parquet"
CHOICE = "--subset s.jsonl --selector nonzero"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("curves.json").write_text(json.dumps(CURVES))
    Path("zero.json").write_text(json.dumps({"a": [0, 0], "b": [0, 0]}))
    pq.write_table(pa.Table.from_pylist(ROWS), "log.parquet")
    Path("wrong.yaml").write_text("study: mine\nseeds: [1\n")
    Path("twice.yaml").write_text("study: mine\nseeds: [1]\nseeds: [2]\n")
    Path("nothing.yaml").write_text("")
    Path("empty.jsonl").write_text("")
    Path("bare.jsonl").write_text('{"prompt": "1+1?", "completion": "2", "step": 1}\n')
    return tmp_path


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("scroe x", "limr: argument COMMAND: there is no 'scroe'. Did you mean 'score'?"),
        ("score log.parquet --format verl --output x.parquet", "Did you mean 'verl-jsonl'?"),
        (f"{SCORE} --selector limm", "there is no 'limm'. Did you mean 'lim'?"),
        (f"{SCORE} --selecter lim", "--selecter is not an option. Did you mean '--selector'?"),
        ("plan config.yaml twice", "limr plan: twice is one argument too many."),
        ("score log.parquet --format verl-jsonl --output x.parquet", "By its content it is 'trl-"),
        ("look log.parquet --format verl-jsonl", "By its content it is 'trl-parquet'"),
        ("score log.parquet --format accuracy-json --output x.parquet", "is of the format 'trl-"),
        (f"{SCORE} --option epoch=3", "has an option 'epoch'. Did you mean 'epochs'?"),
        (f"{SCORE} --option epochs", "--option epochs: expected KEY=VALUE."),
        (f"{SCORE} --size 1", "--size 1: add --subset FILE.jsonl"),
        (f"{SCORE} --subset s.jsonl", "--subset s.jsonl: add --size N or --threshold T"),
        (f"{SCORE}.zip", "--output x.parquet.zip: scores are written as .parquet, .csv or .tsv."),
        ("run wrong.yaml", "wrong.yaml, line 3, column 1: not valid YAML"),
        ("plan wrong.yaml", "wrong.yaml, line 3, column 1: not valid YAML"),
        ("run nowhere.yaml", "limr run: nowhere.yaml: there is no such study."),
        ("run . -n", "limr run: .: is a folder; name the study's file"),
        ("run demo --profile slrum", "--profile slrum: there is no such folder. Did you mean"),
        ("plan nowhere.yaml", "nowhere.yaml: there is no such file."),
        ("run twice.yaml", "twice.yaml, line 3, column 1: not valid YAML: the key 'seeds' stands"),
        ("plan nothing.yaml", "expected the keys of a study; the file is empty."),
        ("run demo --cores two", "--cores two: expected a whole number from 1, or all."),
        ("run demo --cores 0", "--cores 0: expected a whole number from 1, or all."),
        (f"{SCORE} --size ten", "argument --size: expected a whole number, found 'ten'"),
        ("look empty.jsonl", "empty.jsonl: the file is empty: nothing was logged, or not yet."),
        ("look bare.jsonl", "no column is called like a reward. Name the one that says whether"),
        ("grade bare.jsonl --output x.jsonl", "row 1: there is no 'gold'. Known: completion,"),
        ("look nowhere", "nowhere: there is no such file or folder."),
        ("report nowhere.yaml", "nowhere.yaml: there is no such file."),
        ("verify nowhere.zip", "nowhere.zip: cannot be read"),
        ("open nowhere", "nowhere: there is no page of this study yet"),
        (
            SCORE.replace("curves", "zero") + f" --threshold 0.5 {CHOICE}",
            "0 of 32 responses are right, so no score says which problem helps.",
        ),
    ],
)
def test_a_mistake_reads_one_sentence(
    command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(command.split())
    except SystemExit as ended:
        code = int(ended.code or 0)
    shown = capsys.readouterr()
    assert said in shown.err
    assert code == 2
    assert shown.err.startswith("limr")
    assert "Traceback" not in shown.err
    assert "usage:" not in shown.err
    assert shown.out == ""
    assert not Path("x.parquet").exists()


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_scores_are_written_as_the_file_s_name_says(suffix: str) -> None:
    assert main(SCORE.replace("x.parquet", f"x.{suffix}").split()) == 0
    assert main(SCORE.split()) == 0
    comma = {"csv": ",", "tsv": "\t"}[suffix]
    rows = [line.split(comma) for line in Path(f"x.{suffix}").read_text().splitlines()]
    table = files.read_columns("x.parquet")
    assert rows[0] == table.column_names
    assert [float(row[1]) for row in rows[1:]] == pytest.approx(table["score"].to_pylist())


def test_chosen_problems_without_texts_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(f"{SCORE} --size 1 {CHOICE}".split()) == 0
    shown = capsys.readouterr().err
    assert "1 of them have no prompt" in shown
    assert "1 of them have no answer" in shown


def test_the_help_begins_with_what_people_want(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = [
        line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:4] == "    "
    ]
    assert [word for word in listed if word in ("look", "run", "score", "archive")] == [
        "look", "run", "score", "archive",
    ]  # fmt: skip
