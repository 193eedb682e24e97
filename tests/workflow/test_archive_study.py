"""The archive of a finished study: the same bytes again, verified, forged in every way, resumed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from hostile_yaml import LAUGHS
from limr.archive import (
    code,
    declaration,
    documents,
    planning,
    rerun,
    restore,
    signing,
    verify,
    verify_derived,
)
from limr.core import files, provenance
from limr.core.errors import InputError
from limr.study.files import metadata_path
from limr.study.load import load as load_study
from small_study import ROOT, Project

pytestmark = pytest.mark.slow

RESULTS = "results/tiny"
ZIP = f"{RESULTS}/archive/tiny.zip"
CRATE = "ro-crate-metadata.json"


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    subprocess.run(command, capture_output=True, check=True)


def limr(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "limr", *arguments],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def committed(finished_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished study in a repository with one commit, as if declared before its first job."""
    folder = tmp_path_factory.mktemp("committed") / "project"
    shutil.copytree(
        finished_project.folder,
        folder,
        symlinks=True,
        copy_function=shutil.copy2,
        ignore=shutil.ignore_patterns("__pycache__", "archive.zip"),
    )
    for name in ("LICENSE", "CITATION.cff", "README.md", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    config = documents.read_yaml(folder / "study.yaml")
    study = load_study(config, "study.yaml", folder / "config/benchmarks")
    said = declaration.document(study, code.read(folder), datetime(2001, 1, 1, tzinfo=UTC))
    files.write_json(folder / RESULTS / declaration.FILE, said)
    return Project(folder)


@pytest.fixture(scope="session")
def archive(committed: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's archive, made by the workflow."""
    ran = committed.finish("archive")
    assert "Archive the study" in ran.jobs
    kept = tmp_path_factory.mktemp("archive") / "tiny.zip"
    shutil.copy(committed.folder / ZIP, kept)
    return kept


def verified(path: Path) -> tuple[bool, list[str]]:
    """Return whether an archive passes, and the lines."""
    lines: list[str] = []
    return verify.verify(path, lambda line: lines.append(str(line))), lines


# --- making --------------------------------------------------------------------------------------


def test_all_does_not_archive(committed: Project, archive: Path) -> None:
    assert committed.planned() == []
    assert committed.planned("archive") == []


def test_another_folder_at_another_time_gives_the_same_bytes(
    committed: Project, archive: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "quite/another folder/project"
    shutil.copytree(committed.folder, elsewhere, symlinks=True)  # files get new times
    (elsewhere / ZIP).unlink()
    time.sleep(1.1)  # a zip knows times to 2 seconds, a report might to 1
    done = limr(Project(elsewhere), "archive", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (elsewhere / ZIP).read_bytes() == archive.read_bytes()


def test_strangers_among_the_results_stay_out(committed: Project, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(committed.folder, folder, symlinks=True, copy_function=shutil.copy2)
    (folder / RESULTS / "scores/of-old.parquet").write_bytes(b"x")
    (folder / RESULTS / "notes.txt").write_text("mine")
    done = limr(Project(folder), "archive", "study.yaml", "--output", "a.zip")
    assert "2 files under results/tiny are no part of this study" in done.stderr
    assert not {"notes.txt", "of-old.parquet"} & {
        name.rsplit("/", 1)[-1] for name in zipfile.ZipFile(folder / "a.zip").namelist()
    }


def test_a_read_only_place_is_said_and_nothing_is_left(committed: Project) -> None:
    # Nobody can make files there, root neither.
    done = limr(committed, "archive", "study.yaml", "--output", "/sys/kernel/tiny.zip")
    assert done.returncode == 2
    assert "/sys/kernel/tiny.zip: nothing can be written there" in done.stderr
    assert "--output" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_changed_working_tree_is_said_loudly(
    committed: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    without_drawing(monkeypatch)
    folder = tmp_path / "project"
    shutil.copytree(committed.folder, folder, symlinks=True, copy_function=shutil.copy2)
    (folder / "README.md").write_text("changed\n")
    done = limr(Project(folder), "archive", "study.yaml", "--output", "a.zip")
    assert done.stderr.startswith("WARNING: 1 files of the code differ from commit")
    with zipfile.ZipFile(folder / "a.zip") as zipped:
        assert b"+changed" in zipped.read("provenance/changes.diff")
    good, lines = verified(folder / "a.zip")
    assert good, lines
    assert any("NOT A CLEAN COMMIT: 1 files differ: README.md" in line for line in lines)


# --- verifying -----------------------------------------------------------------------------------


def test_a_good_archive_passes_every_check(archive: Path) -> None:
    good, lines = verified(archive)
    assert good, "\n".join(lines)
    made = {line.split(":")[0].split(None, 1)[1] for line in lines if "recomputed" in line}
    assert made >= {"learning curves", "scores", "subsets", "tables", "figures", "report"}
    assert any("nothing to be done" in line for line in lines)
    assert not [line for line in lines if line.startswith("note")], lines


def test_the_command_says_so(archive: Path, committed: Project, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(archive.read_bytes()[:-1000])
    done = limr(committed, "verify", str(cut))
    assert done.returncode == 1
    assert done.stdout.startswith(f"FAILED zip: {cut}: it has no end record")
    assert limr(committed, "verify", str(tmp_path / "none.zip")).returncode == 2


@dataclass(frozen=True)
class Kind:
    """One way to tamper with an unpacked archive, and the start of a line that must name it."""

    change: Callable[[Path], None]
    named: str


def parquet(path: str, column: str, value: Callable[[Any], Any], row: int = 3) -> Any:
    def change(folder: Path) -> None:
        table = pq.read_table(folder / path)
        place, field = table.schema.get_field_index(column), table.schema.field(column)
        values = table[column].to_pylist()
        values[row] = value(values[row])
        if pa.types.is_dictionary(field.type):
            array = pc.dictionary_encode(pa.array(values)).cast(field.type)
        else:
            array = pa.array(values, field.type)
        pq.write_table(table.set_column(place, field, array), folder / path, compression="zstd")

    return change


def text(path: str, old: str, new: str) -> Any:
    def change(folder: Path) -> None:
        content = (folder / path).read_text()
        assert old in content, f"{path} has no {old!r}"
        (folder / path).write_text(content.replace(old, new, 1))

    return change


def document(path: str, *keys: Any, value: Any) -> Any:
    def change(folder: Path) -> None:
        content = json.loads((folder / path).read_text())
        node = content
        for key in keys[:-1]:
            node = node[key]
        assert node.get(keys[-1]) != value
        node[keys[-1]] = value
        (folder / path).write_text(json.dumps(content, indent=1, sort_keys=True))

    return change


def in_both(column: str, arm: str, seed: int, value: Any) -> Any:
    """Change a metric of a run's second step, in its own table and in the collected one."""

    def change(folder: Path) -> None:
        whole = f"{RESULTS}/collected/metrics.parquet"
        keys = pq.read_table(folder / whole, columns=["arm", "seed", "step"]).to_pylist()
        row = keys.index({"arm": arm, "seed": seed, "step": 2})
        parquet(whole, column, lambda _: value, row)(folder)
        parquet(f"{RUN}/{arm}/seed{seed}/metrics.parquet", column, lambda _: value, 1)(folder)

    return change


def more_of(path: str) -> Any:
    """Add a column to a table."""

    def change(folder: Path) -> None:
        table = pq.read_table(folder / path)
        pq.write_table(table.append_column("claim", pa.array(["!"] * len(table))), folder / path)

    return change


def first_digit(path: str) -> Any:
    """Change a digit in the last line."""

    def change(folder: Path) -> None:
        lines = (folder / path).read_text().rstrip("\n").split("\n")
        place = next(i for i in reversed(range(len(lines[-1]))) if lines[-1][i].isdigit())
        digit = str((int(lines[-1][place]) + 1) % 10)
        lines[-1] = lines[-1][:place] + digit + lines[-1][place + 1 :]
        (folder / path).write_text("\n".join(lines) + "\n")

    return change


def fewer_problems(folder: Path) -> None:
    path = folder / f"{RESULTS}/subsets/linear.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    document(f"{RESULTS}/subsets/linear.json", "sha256", value=digest)(folder)


def exchanged(one: str, other: str, *names: str) -> Any:
    """Exchange files of two folders."""

    def change(folder: Path) -> None:
        for name in names:
            first, second = folder / one / name, folder / other / name
            kept = first.read_bytes()
            first.write_bytes(second.read_bytes())
            second.write_bytes(kept)

    return change


def one_rollout_less(folder: Path) -> None:
    path = folder / f"{RUN}/rand-1/seed2/rollouts.parquet"
    pq.write_table(pq.read_table(path).slice(1), path, compression="zstd")


def other_pixel(folder: Path) -> None:
    from PIL import Image

    path = folder / f"{RESULTS}/figures/scores.png"
    with Image.open(path) as image:
        changed = image.convert("RGB")
    changed.putpixel((5, 5), (255, 0, 0))
    changed.save(path)


def extra_script(folder: Path) -> None:
    (folder / "run-me.sh").write_text("echo harm\n")


def stranger(path: str) -> Any:
    """Add a file."""

    def change(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("{}")

    return change


def crate(identifier: str, key: str, value: Any) -> Any:
    def change(folder: Path) -> None:
        content = json.loads((folder / CRATE).read_text())
        entity = next(e for e in content["@graph"] if e["@id"] == identifier)
        entity[key] = value
        (folder / CRATE).write_text(json.dumps(content))

    return change


RECORDED = ("rollouts.parquet", "metrics.parquet")
EVALS, RUN = f"{RESULTS}/evals", f"{RESULTS}/runs"
OF_LIMR = metadata_path(f"{RESULTS}/subsets/limr.json")
# By someone who writes every size and sha256 anew.
FORGED: dict[str, Kind] = {
    "a score": Kind(
        parquet(f"{RESULTS}/scores/lim.parquet", "score", lambda x: (x or 0) + 0.1),
        f"scores: {RESULTS}/scores/lim.parquet: score of",
    ),
    "a reason": Kind(
        parquet(f"{RESULTS}/scores/linear.parquet", "reason", lambda _: "because"),
        f"scores: {RESULTS}/scores/linear.parquet: reason of",
    ),
    "a problem less in a subset": Kind(
        fewer_problems, f"subsets: {RESULTS}/subsets/linear.jsonl: lines: expected"
    ),
    "a count in a subset's record": Kind(
        document(f"{RESULTS}/subsets/limr.json", "n_scored", value=1),
        f"subsets: {RESULTS}/subsets/limr.json: n_scored: expected",
    ),
    "a learning curve": Kind(
        parquet(f"{RESULTS}/trajectories/full.parquet", "n_correct", lambda x: x + 1),
        f"learning curves: {RESULTS}/trajectories/full.parquet: n_correct of",
    ),
    "where a learning curve is from": Kind(
        document(f"{RESULTS}/trajectories/full.json", "rows_read", value=7),
        f"learning curves: {RESULTS}/trajectories/full.json: rows_read: expected",
    ),
    "a rollout's reward": Kind(
        parquet(f"{RUN}/limr/seed2/rollouts.parquet", "reward", lambda x: x + 0.25),
        f"metrics: {RUN}/limr/seed2/rollouts.parquet: reward: 1 rows",
    ),
    "a rollout's verdict": Kind(
        parquet(
            f"{RUN}/linear/seed1/rollouts.parquet",
            "verdict",
            lambda x: "correct" if x != "correct" else "incorrect",
        ),
        f"metrics: {RUN}/linear/seed1/metrics.parquet: accuracy of step",
    ),
    "a rollout that was taken away": Kind(
        one_rollout_less, f"rollouts: {RUN}/rand-1/seed2/rollouts.parquet: step 1: the problems"
    ),
    "two arms' rollouts, exchanged with their metrics": Kind(
        exchanged(f"{RUN}/limr/seed1", f"{RUN}/linear/seed2", *RECORDED),
        f"rollouts: {RUN}/limr/seed1/rollouts.parquet: step 1: the problems are not those",
    ),
    "two seeds' rollouts, exchanged with their metrics": Kind(
        exchanged(f"{RUN}/rand-2/seed1", f"{RUN}/rand-2/seed2", *RECORDED),
        f"rollouts: {RUN}/rand-2/seed2/rollouts.parquet: step 1: the problems are not those",
    ),
    "two arms' evaluations, exchanged with their summaries": Kind(
        exchanged(
            f"{EVALS}/rand-1/seed1/step6",
            f"{EVALS}/rand-2/seed1/step6",
            "arithmetic-easy.parquet",
            "arithmetic-easy.json",
        ),
        f"collected tables: {RESULTS}/collected/evaluations.parquet: ",
    ),
    "a metric": Kind(
        parquet(f"{RUN}/rand-1/seed1/metrics.parquet", "mean_reward", lambda x: x + 0.1),
        f"metrics: {RUN}/rand-1/seed1/metrics.parquet: mean_reward of step 4: expected",
    ),
    "in which epoch a step was, in both tables": Kind(
        in_both("epoch", "rand-1", 1, 9),
        f"rollouts: {RUN}/rand-1/seed1/metrics.parquet: step 2: epoch: expected",
    ),
    "a column more of a table": Kind(
        more_of(f"{RUN}/limr/seed2/rollouts.parquet"),
        f"columns: {RUN}/limr/seed2/rollouts.parquet: column 'claim'",
    ),
    "an evaluation's verdict": Kind(
        parquet(
            f"{EVALS}/limr/seed1/step6/arithmetic-easy.parquet",
            "verdict",
            lambda x: "correct" if x != "correct" else "incorrect",
        ),
        f"evaluations: {EVALS}/limr/seed1/step6/arithmetic-easy.json:",
    ),
    "an evaluation's summary": Kind(
        document(
            f"{EVALS}/full/seed2/step3/arithmetic-hard.json", "sampled", "accuracy", value=0.99
        ),
        f"evaluations: {EVALS}/full/seed2/step3/arithmetic-hard.json: sampled.accuracy: expected",
    ),
    "decoding settings": Kind(
        document(f"{EVALS}/full/seed2/step6/arithmetic-hard.json", "settings", "version", value=99),
        f"evaluations: {EVALS}/full/seed2/step6/arithmetic-hard.json: settings.version: expected",
    ),
    "a collected evaluation": Kind(
        parquet(f"{RESULTS}/collected/evaluations.parquet", "n", lambda x: x + 1),
        f"collected tables: {RESULTS}/collected/evaluations.parquet: n of",
    ),
    "a cell of a table": Kind(
        first_digit(f"{RESULTS}/tables/results.tsv"),
        f"tables: {RESULTS}/tables/results.tsv: line",
    ),
    "a table for people": Kind(
        text(f"{RESULTS}/tables/subsets.md", "1", "2"),
        f"tables: {RESULTS}/tables/subsets.md: line",
    ),
    "a figure's data": Kind(
        first_digit(f"{RESULTS}/figures/reward.tsv"),
        f"figures: {RESULTS}/figures/reward.tsv: line",
    ),
    "a figure's caption": Kind(
        text(f"{RESULTS}/figures/accuracy.txt", ".", " with great certainty."),
        f"figures: {RESULTS}/figures/accuracy.txt: line 1",
    ),
    "a number in the report": Kind(
        text(f"{RESULTS}/report.html", "seeds", "5eeds"),
        f"report: {RESULTS}/report.html: line",
    ),
    "the headline": Kind(
        first_digit(f"{RESULTS}/headline.txt"), f"report: {RESULTS}/headline.txt: line"
    ),
    "a gold answer": Kind(
        text(f"{RESULTS}/problems/arithmetic-hard.jsonl", '"answer": "', '"answer": "9'),
        f"problems: {RESULTS}/problems/arithmetic-hard.jsonl: line 1",
    ),
    "a worked solution": Kind(
        text(f"{RESULTS}/solutions/arithmetic.jsonl", "boxed{", "boxed{1"),
        f"runs: {RUN}/sft/seed1/run.json: inputs_sha256.solutions: expected",
    ),
    "a hyper-parameter of a run": Kind(
        document(f"{RUN}/full/seed1/run.json", "settings", "ppo", "gamma", value=0.5),
        f"runs: {RUN}/full/seed1/run.json: settings.ppo.gamma: expected 1.0, found 0.5",
    ),
    "the digest of a run's settings": Kind(
        document(f"{RUN}/limr/seed1/run.json", "settings_sha256", value="0" * 64),
        f"runs: {RUN}/limr/seed1/run.json: settings_sha256: expected",
    ),
    "the code that a run names": Kind(
        document(f"{RUN}/full/seed2/run.json", "code", value="0" * 16),
        f"runs: {RUN}/full/seed2/run.json: code: expected",
    ),
    "a lock": Kind(
        text("envs/data.lock", "numpy==", "numpy==9."),
        f"environments: {RUN}/full/seed1/run.json: environments_sha256.data.lock: expected",
    ),
    "a pin without hashes": Kind(
        text("envs/torch-cpu.lock", "--hash=sha256:", "#"),
        "environments: envs/torch-cpu.lock: torch==",
    ),
    "a module of the code": Kind(
        text("workflow/scripts/limr/scores/selectors/lim.py", '"""', '"""Better: '),
        "code: the code: tree: expected",
    ),
    "the commit": Kind(
        text("provenance/commit", "all", "All"), "code: provenance/commit: commit: expected"
    ),
    "a script that nothing explains": Kind(extra_script, "code: run-me.sh: neither code, nor"),
    "a comment in the study": Kind(
        text(f"{RESULTS}/study.yaml", "\n", "\n# It reached 99 %.\n"),
        f"configuration: {RESULTS}/study.yaml: it says more than its keys",
    ),
    "a file beside the commit": Kind(
        stranger("provenance/letter.txt"), "code: provenance/letter.txt: neither code"
    ),
    "an unfinished job": Kind(
        document(OF_LIMR, "incomplete", value=True),
        f"workflow records: {RESULTS}/subsets/limr.json: Snakemake's record says that it was not",
    ),
    "a record that is not there": Kind(
        lambda folder: (folder / metadata_path(f"{RESULTS}/scores/lim.parquet")).unlink(),
        f"workflow records: {RESULTS}/scores/lim.parquet: Snakemake's record of it is missing",
    ),
    "a run that is not there": Kind(
        lambda folder: (folder / f"{RUN}/rand-2/seed2/metrics.parquet").unlink(),
        f"complete: {RUN}/rand-2/seed2/metrics.parquet: it is missing, and archive.json",
    ),
    "the crate's description": Kind(
        crate("./", "description", "The best study"), f"crate: {CRATE}: ./ description: "
    ),
    "the crate's time": Kind(
        crate("#run", "endTime", "2001-01-01T00:00:00+00:00"),
        f"crate: {CRATE}: #run endTime: expected",
    ),
    "a study that is not the declared one": Kind(
        document(f"{RESULTS}/declared.json", "study_sha256", value="0" * 64),
        f"declaration: {RESULTS}/declared.json: study_sha256: expected",
    ),
    "a declaration after the first job": Kind(
        document(f"{RESULTS}/declared.json", "time", value="2100-01-01T00:00:00+00:00"),
        f"declaration: {RESULTS}/declared.json: time: 2100",
    ),
    "the crate's profile": Kind(
        crate("./", "conformsTo", []), f"crate: {CRATE}: ./ conformsTo: expected"
    ),
}


def unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    return folder


def packed(folder: Path, path: Path, *, forge: bool) -> Path:
    """Zip a folder; a forger writes every file's size and sha256 into the crate anew."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    if forge:
        content = json.loads((folder / CRATE).read_text())
        known = {entity["@id"]: entity for entity in content["@graph"]}
        for name in (name for name in names if name != CRATE):
            if name not in known:
                known[name] = {"@id": name, "@type": "File", "description": "code"}
                known["./"]["hasPart"].append({"@id": name})
            data = (folder / name).read_bytes()
            known[name]["sha256"] = hashlib.sha256(data).hexdigest()
            known[name]["contentSize"] = str(len(data))
        known["./"]["hasPart"].sort(key=lambda part: str(part["@id"]))
        gone = [n for n, e in known.items() if "sha256" in e and n not in names]
        content["@graph"] = [entity for name, entity in known.items() if name not in gone]
        (folder / CRATE).write_text(json.dumps(content))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in names:
            zipped.write(folder / name, name)
    return path


@pytest.fixture(scope="session")
def forged(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What verify says of one archive forged in every way, sizes and sha256 made to fit."""
    folder = unpacked(archive, tmp_path_factory.mktemp("forged") / "archive")
    for kind in FORGED.values():
        kind.change(folder)
    good, lines = verified(packed(folder, folder.parent / "forged.zip", forge=True))
    assert not good
    return lines


@pytest.mark.parametrize("kind", FORGED)
def test_every_forgery_is_named(kind: str, forged: list[str]) -> None:
    found = [line for line in forged if line.startswith("FAILED")]
    assert any(line.removeprefix("FAILED ").startswith(FORGED[kind].named) for line in found), (
        "\n".join(found)
    )


def test_sizes_and_digests_fit_in_the_forged_archive(forged: list[str]) -> None:
    assert any(line.startswith("ok     manifest") for line in forged)


# Each alone in an archive, digests left as they were or made to fit.
ALONE: dict[str, tuple[Callable[[Path], None], bool, str]] = {
    "a missing file": (
        lambda folder: (folder / f"{RESULTS}/scores/lim.parquet").unlink(),
        False,
        f"FAILED manifest: {RESULTS}/scores/lim.parquet: it is listed and missing",
    ),
    "an extra file": (extra_script, False, "FAILED manifest: run-me.sh: it is not listed"),
    "a policy that the study leaves out": (
        stranger(f"{RUN}/full/seed1/policy/step3/config.json"),
        True,
        f"FAILED code: {RUN}/full/seed1/policy/step3/config.json: neither code",
    ),
    "one byte": (
        text(f"{RESULTS}/headline.txt", "R", "r"),
        False,
        f"FAILED manifest: {RESULTS}/headline.txt: sha256: expected",
    ),
    "a threshold": (
        text(f"{RESULTS}/study.yaml", "threshold: 0.94", "threshold: 0.97"),
        True,
        f"FAILED subsets: {RESULTS}/subsets/limr.json: rule.threshold: expected 0.97, found 0.94",
    ),
    "a seed that the study no longer has": (
        text(f"{RESULTS}/study.yaml", "seeds:\n- 1\n- 2", "seeds:\n- 1"),
        True,
        f"FAILED code: {RESULTS}/evals/base/seed2/step0/arithmetic-easy.json: neither code, nor",
    ),
    "an unknown key": (
        text(f"{RESULTS}/study.yaml", "seeds:", "sneeds: 1\nseeds:"),
        True,
        f"FAILED configuration: {RESULTS}/study.yaml: 'sneeds' is not a key",
    ),
    "aliases": (
        text(f"{RESULTS}/study.yaml", "seeds:", f"{LAUGHS}seeds:"),
        True,
        f"FAILED configuration: {RESULTS}/study.yaml: not valid YAML (with aliases",
    ),
    "more draws than anybody has time for": (
        text(f"{RESULTS}/study.yaml", "draws: 2", "draws: 2000000000"),
        True,
        f"FAILED configuration: {RESULTS}/study.yaml: scores.random.draws: 2,000,000,000 is more",
    ),
    "a figure's picture": (
        other_pixel,
        True,
        f"FAILED figures: {RESULTS}/figures/scores.png: the picture is not the one",
    ),
    "no record": (
        lambda folder: (folder / "archive.json").unlink(),
        True,
        "FAILED configuration: archive.json: cannot be read",
    ),
    "no crate": (
        lambda folder: (folder / CRATE).write_text("[" * 100_000),
        False,
        f"FAILED crate: {CRATE}: not valid JSON",
    ),
    "a table that is none": (
        lambda folder: (folder / f"{RUN}/full/seed1/rollouts.parquet").write_bytes(b"PAR1x"),
        True,
        f"FAILED parquet: {RUN}/full/seed1/rollouts.parquet: not a parquet table",
    ),
    "a study that is said to be unfinished": (
        document("archive.json", "complete", value=False),
        True,
        "FAILED complete: archive.json: complete: expected True",
    ),
    "another origin": (
        document(
            "archive.json",
            "data",
            value=[{"name": "x", "sha256": "", "bytes": 1, "included": True}],
        ),
        True,
        "FAILED data: config/sources.yaml: x: it is missing",
    ),
}


def evaluation_response(folder: Path) -> None:
    at = f"{EVALS}/linear/seed1/step3/arithmetic-hard"
    parquet(f"{at}.parquet", "response", lambda _: "Clever!")(folder)
    digest = hashlib.sha256((folder / f"{at}.parquet").read_bytes()).hexdigest()
    document(f"{at}.json", "sha256", value=digest)(folder)


def edited_code(folder: Path) -> None:
    """Edit a page of the code, and make tree and commit anew, as git would."""
    text("README.md", "limr", "LIMR, the best")(folder)
    record = json.loads((folder / "archive.json").read_text())
    about = record["code"]
    modes = dict.fromkeys(about["files"], code.PLAIN)
    modes |= dict.fromkeys(about["executables"], code.EXECUTABLE)
    modes |= dict.fromkeys(about["links"], code.LINK)
    tree = code.tree_name({name: (mode, folder / name) for name, mode in modes.items()})
    commit = (folder / "provenance/commit").read_text().replace(about["tree"], tree)
    commit = commit.replace("\n\nall", "\n\nBy somebody else")
    (folder / "provenance/commit").write_text(commit)
    about["tree"], about["commit"] = tree, code.commit_name(commit.encode())
    (folder / "archive.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    crate("Snakefile", "version", about["commit"])(folder)


def records_anew(folder: Path) -> None:
    """Write the sha256 that Snakemake's records have of inputs anew."""
    for path in (folder / ".snakemake/metadata").rglob("*"):
        about = json.loads(path.read_text()) if path.is_file() else {}
        for name in about.get("input_checksums") or {}:
            if (folder / name).is_file():
                digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
                about["input_checksums"][name] = f"sha256:{digest}"
                path.write_text(json.dumps(about))


def other_base(folder: Path) -> None:
    path = folder / f"{RESULTS}/base/model.safetensors"
    path.write_bytes(path.read_bytes()[:-4000] + bytes(4000))


def other_picture(folder: Path) -> None:
    document("archive.json", "matplotlib", value="0.1")(folder)
    (folder / f"{RESULTS}/figures/reward.pdf").write_bytes(b"%PDF-1.4")


# What no recomputing can see, by someone who writes every digest anew: a signature does.
UNSEEN: dict[str, Callable[[Path], None]] = {
    "the text of a rollout, its verdict kept": parquet(
        f"{RUN}/linear/seed1/rollouts.parquet", "response", lambda _: "Clever!"
    ),
    "the text of an evaluation's response, its verdict kept": evaluation_response,
    "how long a run took": document(
        f"{RUN}/full/seed1/run.json", "durations", "steps_seconds", value=0.1
    ),
    "how many cores a run saw": document(
        f"{RUN}/full/seed1/run.json", "hardware", "cores", value=4096
    ),
    "how often a run was started": document(f"{RUN}/full/seed2/run.json", "attempts", value=7),
    "a log": lambda folder: (folder / f"{RESULTS}/logs/train_ppo/full-seed1.log").write_text("!"),
    "what a job took of the machine": lambda folder: (
        folder / f"{RESULTS}/benchmarks/train_ppo/full-seed1.tsv"
    ).write_text("s\n1\n"),
    "code that no result depends on, with tree and commit": edited_code,
    "the declaration, made again afterwards": document(
        f"{RESULTS}/declared.json", "commit", value="0" * 40
    ),
    "the loss of fine-tuning, in both tables": in_both("loss", "sft", 2, 0.0),
    "what a run says of its packages": document(
        f"{RUN}/limr/seed1/run.json", "versions", "torch", value="9"
    ),
    "an evaluation's version of the grader": document(
        f"{EVALS}/limr/seed1/step6/arithmetic-easy.json", "grader_version", value="9"
    ),
    "a picture, and the matplotlib that drew it": other_picture,
    "when a job ran, in its record": document(OF_LIMR, "starttime", value=2e9),
}
# What nothing follows from but steps that are trained again: how, and what says so.
AGAIN: dict[str, tuple[Callable[[Path], None], str]] = {
    "losses and KL of a run, in both tables": (
        in_both("kl", "full", 1, 0.5), "metrics.parquet: kl of '2': expected"
    ),
    "the weights of the base": (other_base, "rollouts.parquet: step 1, sample "),
}  # fmt: skip


def test_what_recomputing_cannot_see_a_signature_does(
    archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    without_drawing(monkeypatch)
    key, signers = tmp_path / "author", tmp_path / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers.write_text(f"author {key.with_suffix('.pub').read_text()}")
    path = tmp_path / "tiny.zip"
    shutil.copy(archive, path)
    signing.sign(path, key)
    folder = unpacked(archive, tmp_path / "archive")
    for change in UNSEEN.values():
        change(folder)
    records_anew(folder)
    packed(folder, path, forge=True)
    lines: list[str] = []
    assert not verify.verify(path, lines.append, signers, steps=1)
    signature, again = [line for line in lines if line.startswith("FAILED")]
    assert signature.startswith("FAILED signature: tiny.zip.intoto.json: it is not the statement")
    assert again.startswith(f"FAILED rerun: {RUN}/linear/seed1/rollouts.parquet: step 1, sample 3 ")
    assert "response: run again" in again
    assert any(line.startswith("note   figures: drawn by matplotlib 0.1") for line in lines)


@pytest.mark.parametrize("kind", AGAIN)
def test_what_recomputing_cannot_see_training_again_does(
    kind: str, archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    monkeypatch.setattr(verify_derived, "recomputed", lambda _: {})
    monkeypatch.setattr(rerun, "runs", lambda _: [("full", 1)])
    change, named = AGAIN[kind]
    folder = unpacked(archive, tmp_path / "archive")
    change(folder)
    records_anew(folder)
    path, lines = packed(folder, tmp_path / "tiny.zip", forge=True), []
    assert verify.verify(path, lines.append), lines
    lines.clear()
    assert not verify.verify(path, lines.append, steps=2)
    [found] = [line for line in lines if line.startswith("FAILED")]
    assert found.startswith(f"FAILED rerun: {RUN}/full/seed1/{named}")


def test_steps_that_are_trained_again_are_the_same(
    archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    monkeypatch.setattr(verify_derived, "recomputed", lambda _: {})
    lines: list[str] = []
    assert verify.verify(archive, lines.append, steps=2), lines
    assert (
        "ok     rerun: the first 2 steps of 10 runs trained again: every rollout is the same"
        in lines
    )


def test_another_processor_is_refused_with_the_reason(
    archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    folder = unpacked(archive, tmp_path / "archive")
    document(f"{RUN}/full/seed1/run.json", "hardware", "name", value="Another CPU")(folder)
    with pytest.raises(InputError, match=r"ran on 'Another CPU' .* rounds differently"):
        verify.verify(packed(folder, tmp_path / "a.zip", forge=True), lambda _: None, steps=1)


def test_every_forgery_is_on_the_page() -> None:
    rows = (ROOT / "docs/forgeries.md").read_text().splitlines()
    listed = [row.split(" | ")[0].removeprefix("| ") for row in rows if row.startswith("| ")]
    assert sorted(listed[1:]) == sorted([*FORGED, *ALONE, *UNSEEN, *AGAIN])
    assert len(listed) > 40


def without_drawing(monkeypatch: Any) -> None:
    """Leave out the checks of what is drawn, seconds each: every one fails in an archive above."""
    check = verify_derived.recomputed

    def others(opened: Any) -> Any:
        drawn = ("tables", "figures", "report")
        return {name: jobs for name, jobs in check(opened).items() if name not in drawn}

    monkeypatch.setattr(verify_derived, "recomputed", others)


@pytest.mark.parametrize("kind", ALONE)
def test_tampering_alone(kind: str, archive: Path, tmp_path: Path, monkeypatch: Any) -> None:
    change, forge, named = ALONE[kind]
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")  # seconds each, and tested above
    if not named.startswith("FAILED figures"):
        without_drawing(monkeypatch)
    folder = unpacked(archive, tmp_path / "archive")
    change(folder)
    good, lines = verified(packed(folder, tmp_path / "a.zip", forge=forge))
    assert not good
    assert any(line.startswith(named) for line in lines), "\n".join(lines)


def test_what_was_the_same_is_remembered_until_anything_of_it_changes(
    archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    place = tmp_path / "cache"

    def said(path: Path) -> dict[str, str]:
        lines: list[str] = []
        verify.verify(path, lines.append, quick=True, place=place)
        return {line[7:].split(":")[0]: line for line in lines}

    first, again = said(archive), said(archive)
    assert first["scores"] == "ok     scores: 5 files recomputed, without a difference"
    assert again["scores"].startswith(f"{first['scores']} (5 of them by an earlier verify here")
    assert again["quick"].startswith("note   quick: not recomputed: problems, audits, ")
    assert all(path.stat().st_size == 0 for path in place.iterdir())  # nothing to trust
    folder = unpacked(archive, tmp_path / "archive")
    scores = folder / f"{RESULTS}/scores/lim.parquet"
    table = pq.read_table(scores)
    higher = pc.add(table["score"], 0.25)
    pq.write_table(table.set_column(table.column_names.index("score"), "score", higher), scores)
    changed = said(packed(folder, tmp_path / "a.zip", forge=True))
    assert changed["scores"].startswith("FAILED scores: ")
    monkeypatch.setattr(provenance, "code_digest", lambda *_: "of another version")
    assert said(archive)["scores"] == first["scores"]


def test_what_an_archive_says_does_not_reach_the_terminal(
    archive: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    without_drawing(monkeypatch)
    folder = unpacked(archive, tmp_path / "archive")
    document("archive.json", "limr", value="\x1b[2J\x1b[31m")(folder)
    document("archive.json", "missing", value=["\x1b]0;x\x07"])(folder)
    _, lines = verified(packed(folder, tmp_path / "a.zip", forge=True))
    assert any("\\x1b]0;x\\x07" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_other_code_is_said(archive: Path, tmp_path: Path, monkeypatch: Any) -> None:
    folder = unpacked(archive, tmp_path / "archive")
    path = folder / "workflow/scripts/limr/scores/selectors/lim.py"
    path.write_text("raise SystemExit('executed')\n")
    monkeypatch.setattr(planning, "asked", lambda *_: "not asked")
    without_drawing(monkeypatch)
    good, lines = verified(packed(folder, tmp_path / "a.zip", forge=True))
    assert not good
    said = [line for line in lines if line.startswith("note   code")]
    assert any(
        "1 modules differ, such as scripts/limr/scores/selectors/lim.py" in line for line in said
    )
    assert any(line.startswith("ok     scores") for line in lines)  # by this limr, not by that file


# --- half finished, without responses ------------------------------------------------------------


def test_a_half_finished_study_is_archived_as_one(committed: Project, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(committed.folder, folder, symlinks=True, copy_function=shutil.copy2)
    for path in ("runs/rand-2", "evals/rand-2", "collected", "tables", "figures"):
        shutil.rmtree(folder / RESULTS / path)
    for path in ("report.html", "headline.txt"):
        (folder / RESULTS / path).unlink()
    done = limr(Project(folder), "archive", "study.yaml", "--output", "half.zip")
    assert done.returncode == 0, done.stderr
    assert "WARNING: the study is not finished:" in done.stderr
    good, lines = verified(folder / "half.zip")
    assert good, "\n".join(lines)
    assert any("half finished" in line for line in lines)
    assert any(line.startswith("ok     scores: 5 files recomputed") for line in lines)


def test_without_responses(
    committed: Project, archive: Path, tiny: dict[str, Any], tmp_path: Path, monkeypatch: Any
) -> None:
    output = tmp_path / "silent.zip"
    study = tmp_path / "silent.yaml"
    study.write_text(yaml.safe_dump({**tiny, "archive": {"responses": False}}, sort_keys=False))
    done = limr(committed, "archive", str(study), "--output", str(output))
    assert done.returncode == 0, done.stderr
    folder = unpacked(output, tmp_path / "archive")
    for pattern in ("runs/*/*/rollouts.parquet", "evals/*/*/*/*.parquet"):
        for path in (folder / RESULTS).glob(pattern):
            table = pq.read_table(path)
            assert table["response"].null_count == table.num_rows
            whole = pq.read_table(committed.folder / path.relative_to(folder))
            assert table.drop_columns("response").equals(whole.drop_columns("response"))
    assert not (folder / RESULTS / "report.html").exists()
    good, lines = verified(output)
    assert good, "\n".join(lines)
    assert any(line.startswith("ok     tables") for line in lines)
    parquet(f"{RESULTS}/evals/limr/seed1/step6/arithmetic-easy.parquet", "sample", lambda x: 9)(
        folder
    )
    document(f"{EVALS}/limr/seed1/step6/arithmetic-hard.json", "sha256", value="0" * 64)(folder)
    without_drawing(monkeypatch)
    _, lines = verified(packed(folder, tmp_path / "forged.zip", forge=True))
    named = f"FAILED evaluations: {EVALS}/limr/seed1/step6/arithmetic-hard.json: sha256: expected"
    assert any(line.startswith(named) for line in lines), "\n".join(lines)


# --- going on ------------------------------------------------------------------------------------


def restored(archive: Path, folder: Path) -> Project:
    restore.restore(archive, folder, None, fetch=False, say=lambda _: None)
    config = folder / RESULTS / "study.yaml"
    shutil.copy(config, folder / "study.yaml")
    return Project(folder)


@pytest.fixture
def clone(committed: Project, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(committed.folder), str(folder))
    return folder


@pytest.mark.parametrize("where", ["clone", "an empty folder"])
def test_nothing_to_be_done_then_only_what_depends_on_the_threshold(
    where: str, archive: Path, clone: Path, tmp_path: Path
) -> None:
    project = restored(archive, clone if where == "clone" else tmp_path / "new")
    assert project.planned() == []
    path = project.folder / "study.yaml"
    path.write_text(path.read_text().replace("threshold: 0.94", "threshold: 0.972"))
    jobs = project.planned()
    of_arms = ("Select", "Train", "Evaluate", "Fine-tune")
    changed = {
        job.split(" by")[0].split(",")[0].split()[-1] for job in jobs if job.startswith(of_arms)
    }
    assert changed == {"limr", "rand-1", "rand-2"}
    assert {job for job in jobs if not job.startswith(of_arms)} == {
        "Collect the evaluations",
        "Collect the training metrics",
        "Draw the figures",
        "Make the report",
        "Make the tables",
    }


def test_a_changed_size_runs_to_its_end_from_an_archive(archive: Path, clone: Path) -> None:
    project = restored(archive, clone)
    before = project.digests()
    path = project.folder / "study.yaml"
    path.write_text(path.read_text().replace("size: 9", "size: 10"))
    ran = project.finish()
    assert {job.split(",")[0] for job in ran.jobs if job.startswith("Train")} == {
        "Train linear by PPO"
    }
    after = project.digests()
    same = {p for p in before if not any(w in p for w in ("linear", "collected", "tables"))}
    assert {p: before[p] for p in same} == {p: after[p] for p in same}


def test_results_are_never_mixed(archive: Path, committed: Project, tmp_path: Path) -> None:
    done = limr(committed, "restore", str(archive), ".")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    done = limr(committed, "restore", str(archive), str(tmp_path / "full"))
    assert done.returncode == 2
    assert "neither empty nor a clone" in done.stderr


def test_a_tampered_archive_is_not_restored(archive: Path, tmp_path: Path) -> None:
    folder = unpacked(archive, tmp_path / "archive")
    ALONE["one byte"][0](folder)
    path = packed(folder, tmp_path / "a.zip", forge=False)
    with pytest.raises(Exception, match=r"headline.txt: sha256: expected"):
        restore.restore(path, tmp_path / "out", None, fetch=False, say=lambda _: None)


# --- the profile, by its own validator -----------------------------------------------------------

# The terms of https://w3id.org/ro/crate/1.1/context that the crate uses, as that context has them.
SCHEMA_ORG = (
    "ComputerLanguage CreateAction CreativeWork Dataset Organization SoftwareSourceCode "
    "WebSite about actionStatus additionalType contentSize creator datePublished description "
    "encodingFormat endTime hasPart identifier instrument license mainEntity mentions name "
    "object programmingLanguage result startTime url version workExample"
)
CONTEXT = {
    **{term: f"http://schema.org/{term}" for term in SCHEMA_ORG.split()},
    "File": "http://schema.org/MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}
VALIDATOR = ROOT / "build/crate-validator"
WARM = """
import io, sys, requests
from requests_cache import CachedSession
from urllib3 import HTTPResponse

class Answer(requests.adapters.HTTPAdapter):
    def send(self, request, **options):
        body = io.BytesIO(sys.argv[2].encode())
        headers = {"Content-Type": "application/ld+json"}
        return self.build_response(
            request, HTTPResponse(body=body, status=200, headers=headers, preload_content=False)
        )

session = CachedSession(cache_name=sys.argv[1], expire_after=-1, backend="sqlite")
session.mount("https://", Answer())
session.get("https://w3id.org/ro/crate/1.1/context")
"""
VALIDATE = """
import sys
from rocrate_validator import models, services
settings = services.ValidationSettings(
    rocrate_uri=sys.argv[1], cache_path=sys.argv[2], offline=True,
    profile_identifier="workflow-run-crate-0.5", requirement_severity=models.Severity.REQUIRED,
)
found = services.validate(settings)
print(*(f"{issue.check.identifier}: {issue.message}" for issue in found.get_issues()), sep="\\n")
sys.exit(not found.passed())
"""


def rocrate_validator(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    assert VALIDATOR.is_dir(), "`make build/crate-validator` installs the validator"
    environment = {**os.environ, "PYTHONPATH": str(VALIDATOR)}
    run = [sys.executable, "-c"]
    warm = [*run, WARM, str(cache), json.dumps({"@context": CONTEXT})]
    subprocess.run(warm, env=environment, check=True)
    return subprocess.run(
        [*run, VALIDATE, str(folder), str(cache)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_crate_by_rocrate_validator(archive: Path, tmp_path: Path) -> None:
    folder = unpacked(archive, tmp_path / "archive")
    found = rocrate_validator(folder, tmp_path / "cache")
    assert found.returncode == 0, found.stdout + found.stderr
    crate("./", "mainEntity", {"@id": "README.md"})(folder)
    found = rocrate_validator(folder, tmp_path / "cache")
    assert found.returncode == 1
    assert "Main Workflow" in found.stdout


def test_records_of_snakemake_are_named_as_it_names_them(committed: Project) -> None:
    long = f"{RESULTS}/evals/" + "a" * 300
    parts = metadata_path(long).split("/")[2:]
    assert all(len(part) <= 255 for part in parts)
    assert base64.urlsafe_b64decode("".join(p.lstrip("@") for p in parts)).decode() == long
    assert (committed.folder / metadata_path(f"{RESULTS}/scores/lim.parquet")).is_file()
