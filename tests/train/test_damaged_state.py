"""A working folder that a disk, a quota or a power cut has damaged: the same bytes all the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import embedded_case as case
from limr.core import files, tables
from limr.train.embedded import ppo, run

Damage = Callable[[Path, Path], object]  # the file, the same file of another run

DAMAGES: dict[str, Damage] = {
    "cut": lambda path, other: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path, other: path.write_bytes(b""),
    "missing": lambda path, other: path.unlink(),
    "of another run": lambda path, other: shutil.copy(other, path),
    "other bytes": lambda path, other: path.write_bytes(b"\xff" * path.stat().st_size),
    "longer": lambda path, other: path.write_bytes(path.read_bytes() + b"\n"),
    "a link": lambda path, other: (path.unlink(), path.symlink_to(other)),
    "a folder": lambda path, other: (path.unlink(), path.mkdir(), (path / "x").touch()),
}
FILES = [
    "checkpoints/000003.pt",
    "checkpoints/000004.pt",
    "whole/000003.json",
    "whole/000004.json",
    *(f"rollouts/00000{n}.parquet" for n in (1, 2, 3, 4)),
    *(
        f"policies/step{n}/{name}"
        for n in (2, 4)
        for name in (
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        )
    ),
    "job.txt",
    "attempts.txt",
    "steps.jsonl",
]
# Where a restart goes on from if a file is damaged; 0: the run starts anew.
GOES_ON = {
    "checkpoints/000004.pt": 3,
    "whole/000004.json": 3,
    "rollouts/000004.parquet": 3,
    "checkpoints/000003.pt": 4,
    "whole/000003.json": 4,
    "attempts.txt": 4,
}


class Killed(BaseException):
    """The process would be killed here."""


@pytest.fixture(autouse=True)
def _toy_grader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppo, "GradingPool", case.LengthPool)


def outputs(folder: Path) -> dict[str, str]:
    """The bytes of a run's outputs; its metrics without seconds."""
    found = {str(p.relative_to(folder)): files.sha256(p) for p in folder.glob("policy/*/*")}
    metrics = files.read_parquet(folder / "metrics.parquet", tables.METRICS)
    found["metrics"] = str(metrics.drop_columns(["seconds"]).to_pylist())
    found["rollouts"] = files.sha256(folder / "rollouts.parquet")
    return found


def killed(folder: Path, seed: int) -> Path:
    """A run that was killed when everything was done, before anything was published."""
    case.base(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ppo, "GradingPool", case.LengthPool)
        patch.setattr(run, "_publish", lambda run: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            ppo.train_ppo(case.ppo_job(folder, seed=seed))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, str]]:
    """A killed run, another one, and the outputs of the first where nothing happened to it."""
    folder = tmp_path_factory.mktemp("damaged")
    first, other = killed(folder / "first", 1), killed(folder / "other", 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ppo, "GradingPool", case.LengthPool)
        case.base(folder / "whole")
        ppo.train_ppo(case.ppo_job(folder / "whole"))
    return first, other, outputs(folder / "whole")


def rerun(
    runs: tuple[Path, Path, dict[str, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: str,
) -> None:
    """Damage one file, run again, and compare outputs and what was said."""
    first, other, expected = runs
    folder = tmp_path / f"{damage}-{name.replace('/', '-')}"
    shutil.copytree(first, folder)
    path = folder / "state" / name
    before, others = path.read_bytes(), (other / "state" / name).read_bytes()
    DAMAGES[damage](path, other / "state" / name)
    same = not path.is_symlink() and path.is_file() and path.read_bytes() == before
    capsys.readouterr()
    ppo.train_ppo(case.ppo_job(folder))
    assert outputs(folder) == expected
    assert (other / "state" / name).read_bytes() == others
    said = capsys.readouterr().err
    harmless = same or (damage == "longer" and name.startswith(("whole/", "job.txt")))
    step = 4 if harmless else GOES_ON.get(name, 3 if "step4" in name else 0)
    anew = "the run starts anew" if name == "job.txt" else "starting anew"
    assert (f"going on after step {step}" if step else anew) in said
    if step != 4 and name != "job.txt" and not name.startswith("whole"):
        assert f"is not whole: {name}" in said


def test_the_list_is_the_working_folder(runs: tuple[Path, Path, dict[str, str]]) -> None:
    state = runs[0] / "state"
    found = {path.relative_to(state).as_posix() for path in state.rglob("*") if path.is_file()}
    assert found == set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["checkpoints/000004.pt", "whole/000004.json", "job.txt"])
def test_damage_to_the_newest_state_ends_in_the_same_bytes(
    runs: tuple[Path, Path, dict[str, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: str,
) -> None:
    rerun(runs, tmp_path, capsys, name, damage)


@pytest.mark.long
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_any_damage_to_any_file_ends_in_the_same_bytes(
    runs: tuple[Path, Path, dict[str, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: str,
) -> None:
    rerun(runs, tmp_path, capsys, name, damage)
