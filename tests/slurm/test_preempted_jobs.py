"""Preempted jobs: those of this workflow are started again, others are not."""

import os
import threading

import pytest

from limr.core.errors import InputError
from limr.slurm import preempted_jobs

LINE = "{}|PREEMPTED|limr_x|{}|rule_train_ppo_wildcards_full_1\n"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A stand-in for squeue and scontrol (the real ones: tests/slurm); job 9 is refused."""
    programs = tmp_path / "bin"
    programs.mkdir()
    scripts = {
        "squeue": f'echo "$@" > "{tmp_path}/asked"; cat "{tmp_path}/queue"\n',
        "scontrol": f'echo "$@" >> "{tmp_path}/told"; [ $2 != 9 ] || {{ echo no >&2; exit 1; }}\n',
    }
    for name, text in scripts.items():
        (programs / name).write_text("#!/bin/sh\n" + text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path


def test_own_jobs_are_started_again_and_others_left_alone(slurm, capsys):
    lines = [LINE.format(7, slurm), LINE.format(8, "/elsewhere"), LINE.format(6, slurm)]
    (slurm / "queue").write_text("".join(lines))
    assert preempted_jobs.requeue(slurm, {"6"}) == set()
    assert (slurm / "told").read_text() == "requeue 7\n"
    assert "--states=PREEMPTED" in (slurm / "asked").read_text()
    assert (
        "SLURM job 7 (train_ppo full_1) was preempted; it starts again" in capsys.readouterr().err
    )


def test_a_refusal_is_said_once(slurm, capsys):
    (slurm / "queue").write_text(LINE.format(9, slurm))
    refused = preempted_jobs.requeue(slurm, set())
    assert refused == {"9"}
    assert preempted_jobs.requeue(slurm, refused) == set()
    assert (slurm / "told").read_text() == "requeue 9\n"
    assert "does not start it again: no. End Snakemake" in capsys.readouterr().err


def test_a_controller_that_is_away_is_asked_again_later(slurm):
    (slurm / "bin/squeue").write_text("#!/bin/sh\nexit 1\n")
    assert preempted_jobs.requeue(slurm, set()) == set()
    assert not (slurm / "told").exists()


def test_what_was_preempted_before_the_start_stays(slurm):
    (slurm / "queue").write_text(LINE.format(5, slurm))
    over = threading.Event()
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            over.set()
            threading.Event().wait()  # no third look
        (slurm / "queue").write_text(LINE.format(5, slurm) + LINE.format(7, slurm))

    preempted_jobs.watch(slurm, {**os.environ, preempted_jobs.PAUSE: "3"}, sleep)
    assert over.wait(10)
    assert pauses == [3.0, 3.0]
    assert (slurm / "told").read_text() == "requeue 7\n"


def test_a_pause_that_is_no_number_is_refused(slurm):
    with pytest.raises(InputError, match="LIMR_SLURM_FIRST_LOOK is 'soon'"):
        preempted_jobs.watch(slurm, {**os.environ, preempted_jobs.PAUSE: "soon"})
