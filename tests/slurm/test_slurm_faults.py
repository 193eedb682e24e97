"""What clusters do to a run, on a real SLURM: afterwards it ends with the bytes of a quiet run.

Each test makes one PPO run of some seconds, the rest being there already.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cluster import SMALL_DISK
from on_slurm import RUN, STATE, OnSlurm, Running

from limr.core import files
from small_study import Project, Result

pytestmark = [pytest.mark.slow, pytest.mark.rounds]

OUTPUTS = ("rollouts.parquet", "policy/step80/model.safetensors")
LOG = "logs/slurm/rule_train_ppo/full_1"
LIMIT = "train_ppo:runtime=1 if attempt == 1 else 30"  # minutes


def submitted(project: OnSlurm) -> Running:
    """Start the run and wait until it can go on from a checkpoint."""
    running = project.start(RUN)
    running.wait_for_checkpoint()
    return running


def job(project: OnSlurm) -> dict[str, str]:
    """Return the run's job that is on a node."""
    [found] = [one for one in project.my_jobs("RUNNING") if "train_ppo" in one["comment"]]
    return found


def control(project: OnSlurm, *words: str) -> None:
    found = project.cluster.call("scontrol", *words)
    assert found.returncode == 0, found.stderr


def resume(project: OnSlurm, node: str) -> None:
    """Let a node take jobs again; one that has come back by itself needs no word."""
    said = project.cluster.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
    state = project.cluster.call("scontrol", "--oneliner", "show", "node", node).stdout
    down = any(word in state for word in ("State=DOWN", "DRAIN"))
    assert said.returncode == 0 or not down, said.stderr


def same_as_quiet(project: OnSlurm, local_run: Project) -> None:
    """Compare with the run that nothing happened to."""
    folder = Path(RUN).parent
    for name in OUTPUTS:
        ours, theirs = (one.folder / folder / name for one in (project, local_run))
        assert files.sha256(ours) == files.sha256(theirs), name
    assert not (project.folder / STATE).exists()
    assert Project(project.folder).planned(RUN) == []


def test_a_cancelled_job_is_submitted_again_and_goes_on(
    one_run: OnSlurm, local_run: Project
) -> None:
    running = submitted(one_run)
    first = job(one_run)["id"]
    assert one_run.cluster.call("scancel", first).returncode == 0
    found = running.finish_well()
    assert f"SLURM jobid {first}" in found.output
    assert LOG in found.output  # where a person finds the log
    assert "CANCELLED" in found.output
    assert one_run.attempts() == 2
    same_as_quiet(one_run, local_run)


@pytest.mark.long
def test_a_lost_node_only_moves_the_job(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    lost = job(one_run)
    one_run.cluster.stop_daemon(lost["nodes"], hard=True)
    # All of a node goes at once: slurmstepd first, which would tell the controller of the rest.
    stepds = pgrep(rf"^slurmstepd: \[{lost['id']}\.", one_run)
    assert stepds
    subprocess.run(["kill", "-KILL", *stepds], check=True)
    signal_trainer(one_run, "KILL")
    try:
        control(one_run, "update", f"NodeName={lost['nodes']}", "State=DOWN", "Reason=test")
        running.wait_for(lambda: job_again(one_run, lost), 90)
        found = running.finish_well()
        assert "requeue" in found.output.lower() or found.output.count("SLURM jobid") == 1
        assert one_run.attempts() == 2
        same_as_quiet(one_run, local_run)
    finally:
        one_run.cluster.start_daemon(lost["nodes"])
        resume(one_run, lost["nodes"])


def job_again(project: OnSlurm, lost: dict[str, str]) -> bool:
    """Tell whether the same job runs on another node."""
    now = [one for one in project.my_jobs("RUNNING") if one["id"] == lost["id"]]
    return bool(now) and now[0]["nodes"] != lost["nodes"]


@pytest.mark.long
def test_a_preempted_job_is_requeued_and_goes_on(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    preempt(one_run, job(one_run))
    requeued_well(one_run, running, local_run)


@pytest.mark.long
def test_a_job_that_is_requeued_by_hand_goes_on(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    control(one_run, "requeue", job(one_run)["id"])
    requeued_well(one_run, running, local_run)


def test_a_job_that_preemption_cancels_is_started_again(
    one_run: OnSlurm, local_run: Project
) -> None:
    one_run.variables = {"LIMR_SLURM_PARTITION": "scavenge"}
    running = submitted(one_run)
    first = job(one_run)
    preempt(one_run, first)
    found = requeued_well(one_run, running, local_run)
    said = f"limr: SLURM job {first['id']} (train_ppo full_1) was preempted; it starts again"
    assert said in found.output


def preempt(project: OnSlurm, victim: dict[str, str]) -> None:
    """Have a more urgent job take the victim's whole node."""
    words = ["--partition=urgent", f"--nodelist={victim['nodes']}", "--exclusive"]
    found = project.cluster.call("sbatch", *words, "--wrap=sleep 5", "--output=/dev/null")
    assert found.returncode == 0, found.stderr


def requeued_well(project: OnSlurm, running: Running, local_run: Project) -> Result:
    """Wait for the end: one submission, two attempts, one log."""
    found = running.finish_well()
    [one] = [one for one in project.my_jobs() if "train_ppo" in one["comment"]]
    assert found.output.count("has been submitted with SLURM jobid") == 1
    assert one["state"] == "COMPLETED"
    assert "Restarts=1" in project.cluster.call("scontrol", "show", "job", one["id"]).stdout
    assert project.attempts() == 2
    log = (project.folder / LOG / f"{one['id']}.log").read_text()
    assert f"JOB {one['id']} ON" in log  # the first attempt's words are kept: CANCELLED … DUE TO …
    assert "Finished jobid" in log
    same_as_quiet(project, local_run)
    return found


@pytest.mark.long
def test_a_drained_node_finishes_its_job(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    node = job(one_run)["nodes"]
    control(one_run, "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    try:
        running.finish_well()
        assert one_run.attempts() == 1
        same_as_quiet(one_run, local_run)
    finally:
        resume(one_run, node)


@pytest.mark.long
def test_the_controller_may_be_restarted(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    one_run.cluster.stop_daemon("slurmctld")
    time.sleep(5)  # a look at the job fails meanwhile
    one_run.cluster.start_daemon("slurmctld")
    running.finish_well()
    assert one_run.attempts() == 1
    same_as_quiet(one_run, local_run)


@pytest.mark.long
def test_a_time_limit_is_said_and_the_next_attempt_goes_on(
    one_run: OnSlurm, local_run: Project
) -> None:
    running = one_run.start(RUN, "--set-resources", LIMIT)
    running.wait_for_checkpoint()
    signal_trainer(one_run, "STOP")  # the run hangs: SLURM's clock goes on
    found = running.finish_well()
    assert "TIMEOUT" in found.output
    assert one_run.attempts() == 2
    same_as_quiet(one_run, local_run)


def signal_trainer(project: OnSlurm, name: str) -> None:
    """Send a signal to the trainer and to all between it and SLURM."""
    command = {number: Path(f"/proc/{number}/cmdline") for number in processes(project)}
    chosen = [n for n, path in command.items() if b"train_ppo" in path.read_bytes()]
    assert chosen
    subprocess.run(["kill", f"-{name}", *chosen], check=True)


def processes(project: OnSlurm) -> list[str]:
    """Return the processes whose command names the project's folder."""
    return pgrep(str(project.folder))


def pgrep(command: str, inside: OnSlurm | None = None) -> list[str]:
    """Return processes by their command; of one cluster, where jobs have numbers of its own."""
    words = ["pgrep", "--full", "--", command]
    found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    return found if inside is None else [one for one in found if one in inside.cluster.pids()]


def end_stopped(project: OnSlurm) -> None:
    """Kill what a test stopped and SLURM lost.

    Without cgroups (proctrack/linuxproc) SLURM follows processes by their parents. When a job is
    killed, a stopped process may lose its parent before it gets its own signal.
    """
    for number in processes(project):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "T":
                os.kill(int(number), signal.SIGKILL)


@pytest.mark.long
def test_a_job_out_of_memory_gets_more_at_the_next_attempt(
    one_run: OnSlurm, local_run: Project
) -> None:
    found = one_run.run(RUN, "--set-resources", "train_ppo:mem_mb=260 if attempt == 1 else 8000")
    assert found.returncode == 0, found.output[-6000:]
    assert len([one for one in one_run.my_jobs() if "train_ppo" in one["comment"]]) == 2
    same_as_quiet(one_run, local_run)


def test_a_killed_snakemake_leaves_a_job_that_is_waited_for(
    one_run: OnSlurm, local_run: Project
) -> None:
    running = submitted(one_run)
    orphan = job(one_run)["id"]
    signal_trainer(one_run, "STOP")  # so that it cannot end before the next Snakemake looks
    running.kill()
    again = one_run.start("--unlock")
    again.finish_well()
    again = one_run.start(RUN)
    again.wait_for(lambda: f"{orphan} RUNNING train_ppo full_1" in again.output.read_text())
    signal_trainer(one_run, "CONT")
    found = again.finish_well()
    assert "1 jobs of an earlier Snakemake still work in this folder; waiting" in found.output
    assert one_run.attempts() == 1  # what the orphan made was taken
    assert [one["id"] for one in one_run.my_jobs() if "train_ppo" in one["comment"]] == [orphan]
    same_as_quiet(one_run, local_run)


@pytest.mark.long
def test_a_killed_snakemakes_job_can_be_cancelled(one_run: OnSlurm, local_run: Project) -> None:
    running = submitted(one_run)
    orphan = job(one_run)["id"]
    signal_trainer(one_run, "STOP")  # so that it cannot end before it is cancelled
    running.kill()
    one_run.start("--unlock").finish_well()
    one_run.variables = {"LIMR_SLURM_ORPHANS": "cancel"}
    found = one_run.start(RUN).finish_well()
    assert "cancelling them" in found.output
    states = {one["id"]: one["state"] for one in one_run.my_jobs()}
    assert states[orphan] == "CANCELLED"
    assert one_run.attempts() == 2  # it went on from the checkpoint
    same_as_quiet(one_run, local_run)


def test_a_submission_that_fails_is_shown(one_run: OnSlurm, local_run: Project) -> None:
    """The partition closes while a study runs: later than the look before the first job."""
    evaluation = "results/tiny/evals/full/seed1/step80/arithmetic-easy.parquet"
    running = one_run.start(RUN, evaluation, "--retries", "0")
    running.wait_for(lambda: one_run.my_jobs("RUNNING"))
    update = ("scontrol", "update", "PartitionName=cpu")
    try:
        assert one_run.cluster.call(*update, "State=INACTIVE").returncode == 0
        assert running.process.wait(300) != 0
    finally:
        assert one_run.cluster.call(*update, "State=UP").returncode == 0
    assert "SLURM sbatch failed" in running.output.read_text()
    assert "partition not available" in running.output.read_text()
    assert (one_run.folder / RUN).exists()
    assert not (one_run.folder / evaluation).exists()
    one_run.finish(RUN, evaluation)
    same_as_quiet(one_run, local_run)


def test_a_full_disk_loses_nothing_that_was_whole(one_run: OnSlurm, local_run: Project) -> None:
    state = one_run.folder / "results/tiny/state"
    shutil.rmtree(state, ignore_errors=True)
    small = one_run.cluster.folder / SMALL_DISK
    state.symlink_to(small)
    found = one_run.run(RUN, "--retries", "0")
    assert found.returncode != 0
    assert "the disk is full" in found.output
    assert not list((one_run.folder / "results/tiny/runs").rglob("*.parquet"))
    state.unlink()
    shutil.copytree(small, state)  # a larger disk, with what was there
    one_run.finish(RUN)
    same_as_quiet(one_run, local_run)


@pytest.fixture(autouse=True)
def _no_job_is_left(one_run: OnSlurm) -> object:
    yield
    for running in one_run.started:  # of a test that failed: it would submit again
        running.kill()
    end_stopped(one_run)
    for one in one_run.my_jobs("RUNNING") + one_run.my_jobs("PENDING"):
        one_run.cluster.call("scancel", one["id"])
