"""A real SLURM on this machine: munge, slurmctld and a slurmd for every node, for the tests.

Every daemon and job runs in a network namespace without a way out, as on compute nodes without the
internet, and sees the cluster's own configuration in /etc/slurm, which nothing outside does. GPUs
are device files that do nothing (clones of /dev/null): SLURM schedules them as it would real ones.
It needs root, Debian's packages (PACKAGES) and some seconds.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = "slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge iproute2"
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "munged", "ip")
GPUS = 8
CPUS, MEMORY_MB = 16, 64000  # of a node; they are not this machine's, and only bound what is asked
NODES = {"node1": 0, "node2": 0, "node3": 0, "gpu1": GPUS, "gpu2": GPUS}
SMALL_DISK, SMALL_DISK_KB = "small", 512
_SYSTEM = "/usr/sbin:/sbin:"
_PORT = 17000
_OWN = ("munged", "slurm")  # how the commands of SLURM's daemons start
# Not `ip netns exec`: that mounts another /sys, without the control groups that slurmd looks for.
_AS_MUNGE = ("--reuid=munge", "--regid=munge", "--clear-groups")
# This cluster has no accounting, which Debian's `sacct` does not always notice: it waits for ever.
# Snakemake's plug-in asks it where the controller takes more than 10 s to answer, as it does on a
# busy machine. A stand-in says at once what `sacct` says else, and the next look asks `squeue`.
_NO_SACCT = "#!/bin/sh\necho 'Slurm accounting storage is disabled' >&2\nexit 1\n"
_OVER_ETC = (
    """mount --bind "$0/etc" /etc/slurm && mount --bind "$0/hosts" /etc/hosts && """
    """mount --bind "$0/sacct" "$(command -v sacct)" && exec "$@" """
)


class NoSlurmError(Exception):
    """SLURM cannot be brought up on this machine; the message says why."""


@dataclass
class Cluster:
    """A running cluster; made by `running`."""

    folder: Path
    name: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """Return a command line that runs within the cluster, as on its login node."""
        inside = ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "--mount"]
        return [*inside, "sh", "-c", _OVER_ETC, str(self.folder), *words]

    def call(
        self, *words: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the login node to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=cwd,
            env={**_environment(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def popen(
        self, *words: str, cwd: Path, environment: Mapping[str, str], output: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command on the login node, in a process group of its own."""
        with output.open("ab") as log:
            return subprocess.Popen(
                self.command(*words),
                cwd=cwd,
                env={**_environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def jobs(self, state: str = "all") -> list[dict[str, str]]:
        """Return the jobs that SLURM knows of: id, name, comment, state, nodes, gres, folder."""
        keys = ("id", "name", "comment", "state", "nodes", "gpus", "folder", "requeues")
        found = self.call(
            "squeue", "--noheader", "--states", state, "--format", "%i|%j|%k|%T|%N|%b|%Z|%r"
        )
        assert found.returncode == 0, found.stderr
        rows = [line.split("|") for line in found.stdout.splitlines() if line]
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def pids(self) -> list[str]:
        """Return the processes in the cluster; those of another test's cluster are not."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True
        )
        return listed.stdout.split()

    def processes_of_jobs(self) -> dict[int, str]:
        """Return the command lines of all processes in the cluster that are not SLURM's own."""
        found = {}
        for number in self.pids():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                words = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if words and not words.lstrip(": ").startswith(_OWN):
                    found[int(number)] = words
        return found

    def ports(self) -> set[str]:
        """Return the addresses on which somebody listens, over all nodes."""
        found = self.call("ss", "--listening", "--tcp", "--no-header", "--numeric")
        assert found.returncode == 0, found.stderr
        return {line.split()[3] for line in found.stdout.splitlines()}

    def start_daemon(self, name: str) -> None:
        """Start slurmctld or a node's slurmd."""
        words = ["slurmctld", "-D"] if name == "slurmctld" else ["slurmd", "-D", "-N", name]
        self._start(name, words)

    def stop_daemon(self, name: str, *, hard: bool = False) -> None:
        """Stop a daemon, or kill it."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        process.wait(30)

    def wait_until_idle(self, seconds: float = 120) -> None:
        """Wait until every node waits for jobs."""

        def idle() -> bool:
            found = self.call("sinfo", "--noheader", "--Node", "--format", "%N %t")
            return found.returncode == 0 and set(found.stdout.split()[1::2]) == {"idle"}

        _wait_for(idle, seconds, f"the nodes are not idle; see {self.folder}/log")

    def _start(self, name: str, words: Sequence[str]) -> None:
        with (self.folder / f"log/{name}.out").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(*words),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def lacking() -> str:
    """Return why no cluster can run here, or ""."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_environment()["PATH"]) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install {PACKAGES})"
    if os.geteuid() != 0:
        return "a real SLURM on one machine needs root (network namespaces, munge, device files)"
    return ""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Bring a cluster up, and down at the end with every process of it.

    Args:
        folder: an empty folder for its state and logs; the path must be short.

    Raises:
        NoSlurmError: see `lacking`.
    """
    if reason := lacking():
        raise NoSlurmError(reason)
    cluster = Cluster(folder, f"limr-{os.getpid()}")
    try:
        _lay_out(folder)
        # A disk that is full at once; here, before the daemons take their view of what is mounted.
        small = ["-t", "tmpfs", "-o", f"size={SMALL_DISK_KB}k", "tmpfs", str(folder / SMALL_DISK)]
        subprocess.run(["mount", *small], check=True)
        _bring_up(cluster)
        yield cluster
    finally:
        _bring_down(cluster)
        subprocess.run(["umount", str(folder / SMALL_DISK)], check=False, capture_output=True)


def _lay_out(folder: Path) -> None:
    folder.chmod(0o755)  # munged runs as a user of its own
    parts = [f"spool/{node}" for node in NODES]
    for part in (*parts, "etc", SMALL_DISK, "log", "run", "state", "dev", "munge"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(GPUS):
        os.mknod(folder / f"dev/fakegpu{number}", 0o666 | 0o020000, os.makedev(1, 3))
    key = folder / "munge/munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o600)
    shutil.chown(folder / "munge", "munge", "munge")
    shutil.chown(key, "munge", "munge")
    (folder / "munge").chmod(0o755)
    host = socket.gethostname().split(".")[0]
    (folder / "etc/slurm.conf").write_text(_configuration(folder, host))
    devices = f"{folder}/dev/fakegpu[0-{GPUS - 1}]"
    gres = f"NodeName=gpu[1-2] Name=gpu Flags=nvidia_gpu_env File={devices}"
    (folder / "etc/gres.conf").write_text(f"AutoDetect=off\n{gres}\n")
    (folder / "hosts").write_text(f"127.0.0.1 localhost {host}\n")
    (folder / "sacct").write_text(_NO_SACCT)
    (folder / "sacct").chmod(0o755)


def _configuration(folder: Path, host: str) -> str:
    size = f"CPUs={CPUS} CoresPerSocket={CPUS} ThreadsPerCore=1 RealMemory={MEMORY_MB}"
    nodes = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.{10 + number} Port={_PORT + number} "
        + size
        + (f" Gres=gpu:{gpus}" if gpus else "")
        for number, (name, gpus) in enumerate(NODES.items(), start=1)
    ]
    lines = [
        "ClusterName=limrtest",
        # Of this cluster alone, beside others on this machine: files in /tmp bear a job's number.
        f"FirstJobId={os.getpid() % 60000 * 1000 + 1}",
        f"SlurmctldHost={host}(127.0.0.1)",
        "SlurmctldPort=16817",
        "SlurmUser=root",
        "SlurmdUser=root",
        "AuthType=auth/munge",
        # Also how long a requeued job waits.
        f"AuthInfo=socket={folder}/munge/munge.sock,cred_expire=5",
        "CryptoType=crypto/munge",
        f"StateSaveLocation={folder}/state",
        f"SlurmdSpoolDir={folder}/spool/%n",
        f"SlurmctldPidFile={folder}/run/slurmctld.pid",
        f"SlurmdPidFile={folder}/run/slurmd-%n.pid",
        f"SlurmctldLogFile={folder}/log/slurmctld.log",
        f"SlurmdLogFile={folder}/log/slurmd-%n.log",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SwitchType=switch/none",
        "MpiDefault=none",
        "JobAcctGatherType=jobacct_gather/linux",
        "JobAcctGatherFrequency=task=2",
        "JobAcctGatherParams=OverMemoryKill",  # memory is enforced without cgroups
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory,CR_LLN",  # the least loaded node: jobs spread
        "SlurmdParameters=config_overrides",  # trust the counts below
        "GresTypes=gpu",
        "ReturnToService=2",
        "MinJobAge=300",  # squeue, which knows no older jobs, must have time to see the end
        "SlurmctldTimeout=30",
        "SlurmdTimeout=10",
        "OverTimeLimit=0",
        "SchedulerType=sched/backfill",
        "SchedulerParameters=bf_interval=2,sched_interval=2",
        "AccountingStorageType=accounting_storage/none",
        # Jobs of `urgent` take the nodes of others, whose partition says what becomes of those.
        "PreemptType=preempt/partition_prio",
        "PreemptMode=REQUEUE",
        *nodes,
        "PartitionName=DEFAULT MaxTime=7-00:00:00 DefMemPerCPU=500 PriorityTier=1",
        "PartitionName=cpu Nodes=node[1-3] Default=YES",
        "PartitionName=scavenge Nodes=node[1-3] PreemptMode=CANCEL",
        "PartitionName=urgent Nodes=node[1-3] PriorityTier=10 PreemptMode=OFF",
        "PartitionName=gpu Nodes=gpu[1-2]",
    ]
    return "\n".join(lines) + "\n"


def _bring_up(cluster: Cluster) -> None:
    folder, name = cluster.folder, cluster.name
    subprocess.run(["ip", "netns", "add", name], check=True)
    # The loopback alone is not enough: SLURM resolves names with AI_ADDRCONFIG, which ignores it.
    for words in (
        ("set", "lo", "up"),
        ("add", "cluster0", "type", "veth", "peer", "name", "cluster0p"),
        ("set", "cluster0", "up"),
        ("set", "cluster0p", "up"),
    ):
        subprocess.run(cluster.command("ip", "link", *words), check=True)
    address = ("ip", "address", "add", "169.254.77.1/32", "dev", "cluster0")
    subprocess.run(cluster.command(*address), check=True)
    munge = folder / "munge"
    options = ("key-file=munge.key", "socket=munge.sock", "pid-file=pid", "log-file=log")
    words = [f"--{key}={munge}/{file}" for key, file in (one.split("=") for one in options)]
    words += [f"--seed-file={munge}/seed", "--foreground"]
    cluster._start("munged", ["setpriv", *_AS_MUNGE, "munged", *words])
    _wait_for((munge / "munge.sock").is_socket, 10, f"munged does not start; see {munge}/log")
    cluster.start_daemon("slurmctld")
    up = lambda: "is UP" in cluster.call("scontrol", "ping").stdout  # noqa: E731
    _wait_for(up, 20, f"slurmctld does not start; see {folder}/log/slurmctld.log")
    for node in NODES:
        cluster.start_daemon(node)
    cluster.wait_until_idle()


def _bring_down(cluster: Cluster) -> None:
    with contextlib.suppress(Exception):
        cluster.call("scancel", "--state=RUNNING,PENDING,SUSPENDED", "--user=root")
        _wait_for(lambda: not cluster.call("squeue", "-h").stdout, 15, "jobs do not end")
    for name in reversed(list(cluster.processes)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            cluster.stop_daemon(name)
    # A job's processes can outlive it with this process tracking: they are known by the namespace.
    found = subprocess.run(
        ["ip", "netns", "pids", cluster.name], capture_output=True, text=True, check=False
    )
    for process in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", cluster.name], check=False, capture_output=True)


def _environment() -> dict[str, str]:
    """Return this environment without what a surrounding SLURM job or mirror would bring in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_", "LIMR_"))}
    return {**kept, "PATH": _SYSTEM + kept["PATH"]}


def _wait_for(condition: object, seconds: float, otherwise: str) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise NoSlurmError(otherwise)
        time.sleep(0.1)
