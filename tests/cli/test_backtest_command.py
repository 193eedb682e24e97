"""`limr backtest`: what it says, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limr.__main__ import main
from limr.core import files
from limr.scores.backtest_rows import BACKTEST


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """Sixty prompts, eight visits, eight samples each."""
    p = np.linspace(0, 1, 60)
    correct = np.random.default_rng(5).binomial(8, np.repeat(p[:, None], 8, axis=1))
    path = tmp_path / "curves.json"
    path.write_text(json.dumps({f"p{i}": (row / 8).tolist() for i, row in enumerate(correct)}))
    return path


def backtest(capsys: pytest.CaptureFixture[str], *given: object) -> tuple[int, str, str]:
    code = main(["backtest", *map(str, given), "--draws", "20"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_says_first_that_signal_is_not_accuracy(
    curves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = backtest(capsys, curves)
    assert code == 0
    first = said.splitlines()[0]
    assert first.startswith("Signal is not accuracy")
    assert "docs/backtest.md" in first
    assert "60 of 60 problems were sampled" in said
    assert (
        "10 of 60 prompts chosen from their first t visits, visit t + 1 looked at, over 6 t" in said
    )
    rows = {line.split()[0]: line for line in said.splitlines() if line.count(" to ") >= 2}
    assert {"oracle", "random", "lim", "learnability", "variance"} <= set(rows)
    assert "cost: rollouts for each group with a signal" in said


def test_size_horizon_and_first_t(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said, _ = backtest(capsys, curves, "--size", 7, "--horizon", 2, "--from", 3)
    assert "7 of 60 prompts chosen from their first t visits, visits t + 1 to t + 2" in said
    assert "over 4 t" in said
    _, said, _ = backtest(capsys, curves, "--share", 0.5)
    assert "30 of 60 prompts" in said


def test_options_belong_to_the_selector_before_them(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    backtest(capsys, curves, "--selector", "learnability", "--selector", "learnability",
             "--option", "epochs=1", "--output", table)  # fmt: skip
    found = pd.read_csv(table)
    assert set(found["selector"]) == {"learnability", "learnability epochs=1", "random", "oracle"}
    signal = found[(found["measure"] == "signal") & found["t"].notna()]
    whole, first = (signal[signal["selector"] == name].set_index("t")["value"]
                    for name in ("learnability", "learnability epochs=1"))  # fmt: skip
    assert whole[1] == first[1]
    assert whole[7] > first[7]


def test_options_before_any_selector_are_the_formats_or_everybodys(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said, _ = backtest(capsys, curves, "--format", "accuracy-json", "--option", "samples=8",
                          "--option", "missing=strict", "--selector", "lim",
                          "--selector", "window")  # fmt: skip
    assert "lim" in said
    for given, message in (
        (["--option", "epochs"], "expected KEY=VALUE"),
        (["--option", "epoch=2"], "none of the selectors has it"),
        (["--option", "samples=8"], "An option of a log's format needs its --format"),
        (["--selector", "lim", "--option", "epoch=2"], "Did you mean 'epochs'"),
        (["--option", "low=0.1", "--selector", "lim"], "none of the selectors has it"),
        (["--selector", "limm"], "Did you mean 'lim'"),
        (["--selector", "lim", "--option", "epochs=0"], "epochs"),
        (["--at-least", 0.9], "--at-least needs --selector"),
        (["--selector", "lim", "--at-least", 90], "expected a share from 0 to 1"),
        (["--size", 61], "the log has 60 prompts"),
        (["--horizon", 8], "needs 9"),
        (["--output", curves], "expected a folder, or a file that ends in .csv"),
    ):
        code, said, error = backtest(capsys, curves, *given)
        assert (code, said) == (2, "")
        assert message in error


def test_a_gate_says_the_number(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = backtest(capsys, curves, "--selector", "learnability", "--at-least", 0.9)
    last = said.splitlines()[-1]
    assert code == 0
    assert last.startswith("learnability: signal 0.9") or last.startswith("learnability: signal 1.")
    assert last.endswith("; at least 0.9.")
    code, said, _ = backtest(capsys, curves, "--selector", "bottom-lim", "--selector", "lim",
                             "--at-least", 0.9)  # fmt: skip
    assert code == 1
    assert "; not at least 0.9." in said
    code, said, _ = backtest(capsys, curves, "--selector", "lim", "--option", "epochs=7",
                             "--at-least", 0)  # fmt: skip
    assert code == 1
    assert backtest(capsys, curves, "--selector", "lim", "--option", "epochs=7")[0] == 1
    assert "lim epochs=7: no signal: a choice at 1 of 7 t only, from t = 7 (" in said


def test_json_is_one_document(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, error = backtest(
        capsys, curves, "--json", "--selector", "variance", "--at-least", 1
    )
    found = json.loads(said)
    assert next(iter(found)) == "note"
    assert code == 1
    assert "not at least 1" in error
    assert [row["selector"] for row in found["selectors"]] == ["oracle", "variance", "random"]
    assert found["selectors"][0]["behind"] is None
    assert 0 < found["selectors"][1]["signal_low"] < found["selectors"][1]["signal_high"] <= 1


def test_a_table_is_written(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.parquet", "two.tsv"):
        assert backtest(capsys, curves, "--output", tmp_path / name)[0] == 0
    table = files.read_parquet(tmp_path / "one.parquet", BACKTEST).to_pandas()
    beside = pd.read_csv(tmp_path / "two.tsv", sep="\t")
    assert beside["value"].to_numpy() == pytest.approx(table["value"].to_numpy(), nan_ok=True)
    assert len(beside) == len(table)


@pytest.mark.slow
def test_a_folder_has_the_table_what_was_said_and_a_picture(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said, _ = backtest(capsys, curves, "--selector", "lim", "--output", tmp_path / "found")
    text = (tmp_path / "found/backtest.txt").read_text()
    assert text.startswith("Signal is not accuracy")
    assert said.startswith(text)
    assert set(pd.read_csv(tmp_path / "found/backtest.csv")["role"]) >= {"selector", "random"}
    assert (tmp_path / "found/signal.png").read_bytes().startswith(b"\x89PNG")
    shown = pd.read_csv(tmp_path / "found/signal.tsv", sep="\t")
    assert set(shown["selector"]) == {"lim", "random", "oracle"}


def test_too_few_visits_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short.json"
    short.write_text(json.dumps({"a": [0.5, 0.5], "b": [0.0, 1.0]}))
    code, _, error = backtest(capsys, short)
    assert code == 2
    assert "the log has 2 whole visits to most prompts, and this backtest needs 3" in error
