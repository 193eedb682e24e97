"""`limr run`: which study, which profile, and what is refused before Snakemake starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from limr.__main__ import main
from limr.cli import run as command
from limr.core.errors import InputError
from small_study import ROOT

STUDY = "study: mine\nseeds: [1]\n"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "studies", "further"),
    [
        (["demo", "-j", "2"], ["demo.yaml"], ["-j", "2"]),
        (["config/published.yaml"], ["published.yaml"], []),
        (["demo", "overrides/math-full.yaml", "x"], ["demo.yaml", "math-full.yaml"], ["x"]),
        ([], ["demo.yaml"], []),
    ],
)  # fmt: skip
def test_a_study_is_named_from_anywhere(
    words: list[str], studies: list[str], further: list[str]
) -> None:
    found, rest = command._split(words, None)
    assert ([path.name for path in found], rest) == (studies, further)
    assert all(path.is_relative_to(ROOT) for path in found)


def test_a_file_of_one_s_own_goes_before_ours(empty_folder: Path) -> None:
    (empty_folder / "demo").write_text(STUDY)
    assert command._split(["demo"], None)[0] == [Path("demo")]


def test_a_profile_that_limr_brings_is_found_from_anywhere() -> None:
    assert command._profile("slurm") == str(ROOT / "profiles/slurm")
    with pytest.raises(InputError, match=r"there is no such folder. Did you mean 'slurm'\?"):
        command._profile("slrum")


def test_without_limr_s_snakefile_here_ours_is_named(empty_folder: Path) -> None:
    words = command._command([Path("a.yaml"), Path("b.yaml")], None, "3")[3:]
    assert words == [
        "--snakefile", str(ROOT / "Snakefile"), "--cores", "3",
        "--configfile", "a.yaml", "b.yaml", "--rerun-incomplete",
    ]  # fmt: skip
    (empty_folder / "Snakefile").touch()
    assert "--snakefile" not in command._command([], "slurm", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "study.yml: there is no such study. Did you mean 'study.yaml'?"),
        ("a: 1\nb: 2: 3\n", "study.yaml, line 2, column 5: not valid YAML: mapping values are"),
        ("a: [1\nb\n", "(while parsing a flow sequence, line 1)"),
        ("- 1\n", "study.yaml: expected the keys of a study"),
        ("study: mine\nsedes: [1]\n", "'sedes' is not a key. Did you mean 'seeds'?"),
    ],
)
def test_a_wrong_study_is_refused_in_one_line(
    text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("study.yaml").write_text(text or STUDY)
    assert main(["run", "study.yml" if text is None else "study.yaml"]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown


def test_the_text_of_a_failed_job_stands_alone(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("reading\nlimr: there is no network.\nTake a mirror.\n")
    assert command._last_words(log) == ["limr: there is no network.", "Take a mirror."]
    assert command._bare("WorkflowError in file x.smk, line 3:\nno room\n") == "no room"
    assert command._bare('no room\n  File "x.smk", line 54, in __onstart\n') == "no room"
