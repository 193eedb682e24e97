"""Run in .venv-openrlhf: fine-tunes as the finished study did, but stops half-way and goes on.

Arguments: the project, a folder for what is made. Prints the sha256 of the last policy's weights.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from limr.core import files, validation
from limr.core.tables import read_problems
from limr.models.interface import SftJob
from limr.study import schema
from limr.train.openrlhf import run, sft


class Stopped(Exception):  # noqa: N818 (no error)
    """The process would be killed here."""


def job(project: Path, folder: Path) -> SftJob:
    """The job of the rule `train_sft`, with other outputs."""
    results = project / "results/real"
    study = validation.complete(
        yaml.safe_load((project / "study.yaml").read_text()), schema.Study, "study"
    )
    rows = files.read_jsonl(results / "solutions/arithmetic.jsonl")
    return SftJob(
        arm="sft", seed=1, base=results / "base",
        problems=read_problems(results / "subsets/sft.jsonl"),
        options=study["engines"]["openrlhf"], grader=study["grader"], state=folder / "state",
        policies={2: folder / "step2", 4: folder / "step4"}, metrics=folder / "metrics.parquet",
        record=folder / "run.json", provenance={}, sft=study["sft"],
        solutions={row["problem_id"]: row["solution"] for row in rows},
    )  # fmt: skip


def main() -> None:
    """Stop before anything is published, lose the last checkpoint, go on."""
    folder = Path(sys.argv[2])
    one = job(Path(sys.argv[1]), folder)
    publish = run.publish_policies

    def stop(_run: Any) -> None:
        raise Stopped

    run.publish_policies = stop
    try:
        sft.train_sft(one)
    except Stopped:
        pass
    else:
        raise AssertionError("the first attempt was not stopped")
    whole = folder / "state/whole"
    assert sorted(path.name for path in whole.iterdir()) == ["000002.json", "000004.json"]
    (whole / "000004.json").unlink()  # as after a kill in the save of step 4
    run.publish_policies = publish
    sft.train_sft(one)
    sys.stdout.write(files.sha256(folder / "step4/model.safetensors") + "\n")


if __name__ == "__main__":
    main()
