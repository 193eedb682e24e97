"""Jobs of a killed Snakemake: told from others, waited for, cancelled or refused."""

import os

import pytest

from limr.core.errors import InputError
from limr.slurm import orphaned_jobs

LINE = "{}|{}|{}|{}|rule_train_ppo_wildcards_full_1"


def test_only_this_workflows_jobs_count(tmp_path):
    lines = [
        LINE.format(1, "RUNNING", "limr_0a1b", tmp_path),
        LINE.format(2, "PENDING", "limr_0a1b", "/elsewhere"),
        LINE.format(3, "RUNNING", "someone", tmp_path),
        "not a line",
    ]
    found = orphaned_jobs.jobs_of("\n".join(lines), tmp_path)
    assert found == [orphaned_jobs.Job("1", "RUNNING", "train_ppo full_1")]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A stand-in for squeue and scancel: files say what is running (the real ones: tests/slurm)."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "queue").write_text(LINE.format(7, "RUNNING", "limr_x", tmp_path) + "\n")
    scripts = {
        "squeue": f'cat "{tmp_path}/queue"\n',
        "scancel": f'echo "$@" > "{tmp_path}/cancelled"; : > "{tmp_path}/queue"\n',
    }
    for name, text in scripts.items():
        (programs / name).write_text("#!/bin/sh\n" + text)
        (programs / name).chmod(0o755)
    monkeypatch.setattr(orphaned_jobs, "_HELD", {})
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    yield tmp_path
    for descriptor in orphaned_jobs._HELD.values():
        os.close(descriptor)


def choice(value):
    return {**os.environ, orphaned_jobs.VARIABLE: value} if value else dict(os.environ)


def test_the_default_waits_and_says_for_what(slurm, capsys):
    looks = []

    def end(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            (slurm / "queue").write_text("")

    orphaned_jobs.guard(slurm, "mine", choice(None), end)
    assert looks == [orphaned_jobs.SECONDS] * 2
    said = capsys.readouterr().err
    assert "7 RUNNING train_ppo full_1" in said
    assert "LIMR_SLURM_ORPHANS=cancel ends them" in said
    assert not (slurm / "cancelled").exists()


def test_cancel_cancels_these_jobs_and_waits_for_their_end(slurm):
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    assert (slurm / "cancelled").read_text() == "7\n"


def test_refuse_names_the_command_that_ends_them(slurm):
    with pytest.raises(InputError, match=r"1 jobs of an earlier Snakemake.*scancel 7"):
        orphaned_jobs.guard(slurm, "mine", choice("refuse"), lambda seconds: None)


def test_another_choice_is_named(slurm):
    with pytest.raises(InputError, match="LIMR_SLURM_ORPHANS is 'kill'"):
        orphaned_jobs.guard(slurm, "mine", choice("kill"))


def test_a_controller_that_is_down_stops_the_start(slurm):
    (slurm / "bin/squeue").write_text("#!/bin/sh\necho 'Unable to contact slurm' >&2; exit 1\n")
    with pytest.raises(InputError, match="squeue failed: Unable to contact slurm"):
        orphaned_jobs.guard(slurm, "mine", choice(None))


def test_a_controller_that_is_down_holds_up_no_local_run(slurm, capsys):
    (slurm / "bin/squeue").write_text(f"#!/bin/sh\ntouch '{slurm}/asked'; exit 1\n")
    orphaned_jobs.guard(slurm, "mine", choice(None), submits=False)
    assert not (slurm / "asked").exists()  # nothing was ever submitted from this folder
    assert not capsys.readouterr().err


def test_a_local_run_after_a_submitted_one_asks_and_waits(slurm):
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    (slurm / "queue").write_text(LINE.format(8, "RUNNING", "limr_x", slurm) + "\n")
    with pytest.raises(InputError, match="scancel 8"):
        orphaned_jobs.guard(slurm, "mine", choice("refuse"), submits=False)


@pytest.mark.parametrize("body", ["echo 'Unable to contact slurm' >&2; exit 1", "exec sleep 60"])
def test_a_local_run_after_a_submitted_one_is_only_warned(slurm, capsys, monkeypatch, body):
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    capsys.readouterr()
    monkeypatch.setattr(orphaned_jobs, "LOCAL_SECONDS", 0.2)
    (slurm / "bin/squeue").write_text(f"#!/bin/sh\n{body}\n")
    orphaned_jobs.guard(slurm, "mine", choice(None), submits=False)
    said = capsys.readouterr().err
    assert "limr: warning: squeue" in said
    assert "starts nevertheless" in said


def test_without_slurm_there_is_nothing_to_do(tmp_path):
    orphaned_jobs.guard(tmp_path, "mine", {"PATH": str(tmp_path)})


def test_programs_without_a_cluster_are_no_slurm(slurm):
    text = "squeue: fatal: Could not establish a configuration source"
    (slurm / "bin/squeue").write_text(f"#!/bin/sh\necho '{text}' >&2; exit 1\n")
    orphaned_jobs.guard(slurm, "mine", choice(None))


def hold_elsewhere(slurm, study, monkeypatch):
    """Hold a study's lock as another process would."""
    orphaned_jobs._hold(slurm / ".snakemake", study)
    monkeypatch.setattr(orphaned_jobs, "_HELD", {slurm: next(iter(orphaned_jobs._HELD.values()))})


def test_a_process_that_reads_its_rules_twice_is_no_second_one(slurm):
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)


def test_a_second_snakemake_of_the_study_is_refused_before_it_cancels(slurm, monkeypatch):
    hold_elsewhere(slurm, "mine", monkeypatch)
    with pytest.raises(InputError, match="another Snakemake works on the study 'mine'"):
        orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    assert not (slurm / "cancelled").exists()


def test_jobs_of_another_study_at_work_are_left_alone(slurm, capsys, monkeypatch):
    hold_elsewhere(slurm, "other", monkeypatch)
    orphaned_jobs.guard(slurm, "mine", choice("cancel"), lambda seconds: None)
    assert "limr-other is at work in this folder too" in capsys.readouterr().err
    assert not (slurm / "cancelled").exists()
