"""A copy of the repository whose Snakemake submits to the tests' cluster."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster import Cluster

from small_study import Project, Result

QUICK_LOOKS = Path(__file__).parent / "quick_looks"
RUN = "results/tiny/runs/full/seed1/run.json"
STATE = "results/tiny/state/full-seed1"


def looking_early(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which looks at jobs come early, as the tests' jobs are short."""
    return {
        **environment,
        "PYTHONPATH": f"{environment['PYTHONPATH']}:{QUICK_LOOKS}",
        "LIMR_SLURM_FIRST_LOOK": "2",
        "LIMR_TESTS_LOOK": "1",
    }


@dataclass
class OnSlurm(Project):
    """Runs `snakemake --profile slurm` as a user on the login node would."""

    cluster: Cluster
    variables: dict[str, str] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a user would export."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return looking_early(super().environment) | {"PATH": path, **self.variables}

    def words(self, *arguments: str) -> list[str]:
        """Return the literal command, with the test's study."""
        return ["snakemake", "--profile", "slurm", *arguments, "--configfile", "study.yaml"]

    def run(self, *arguments: str, mirror: Path | None = None) -> Result:
        """Run Snakemake to its end."""
        del mirror
        environment = self.environment
        done = self.cluster.call(*self.words(*arguments), cwd=self.folder, environment=environment)
        return self._result(done.returncode, done.stdout + done.stderr)

    def start(self, *arguments: str) -> Running:
        """Start Snakemake and return at once."""
        output = self.folder / "snakemake.out"
        process = self.cluster.popen(
            *self.words(*arguments), cwd=self.folder, environment=self.environment, output=output
        )
        self.started.append(Running(self, process, output))
        return self.started[-1]

    def my_jobs(self, state: str = "all") -> list[dict[str, str]]:
        """Return the jobs that were submitted from this folder."""
        return [job for job in self.cluster.jobs(state) if Path(job["folder"]) == self.folder]

    def attempts(self) -> int:
        """Return how often the run was started, from its record."""
        import json

        return int(json.loads((self.folder / RUN).read_text())["attempts"])

    @staticmethod
    def _result(code: int, output: str) -> Result:
        jobs = re.findall(r"^Job \d+: (.*)$", output, flags=re.MULTILINE)
        return Result(code, output, jobs)


@dataclass
class Running:
    """A Snakemake at work."""

    project: OnSlurm
    process: subprocess.Popen[bytes]
    output: Path

    def wait_for(self, what: str | Callable[[], object], seconds: float = 400) -> None:
        """Wait until a file of the project appears, or something is true."""
        path = self.project.folder / what if isinstance(what, str) else None
        end = time.monotonic() + seconds
        while not (path.exists() if path else what()):  # type: ignore[operator]
            text = self.output.read_text()[-3000:]
            assert self.process.poll() is None, f"Snakemake ended before {what}:\n{text}"
            assert time.monotonic() < end, f"no {what} within {seconds} s:\n{text}"
            time.sleep(0.05)

    def wait_for_checkpoint(self) -> None:
        """Wait until the run has something to go on from."""
        self.wait_for(lambda: any(self.project.folder.glob(f"{STATE}/whole/*.json")))

    def finish(self, seconds: float = 800) -> Result:
        """Wait until Snakemake ends by itself."""
        code = self.process.wait(seconds)
        return OnSlurm._result(code, self.output.read_text())

    def finish_well(self, seconds: float = 800) -> Result:
        """Wait until Snakemake ends by itself, which must be good."""
        found = self.finish(seconds)
        assert found.returncode == 0, found.output[-6000:]
        return found

    def kill(self) -> None:
        """End Snakemake, and nothing but Snakemake, as a crash of the login node would."""
        self.process.kill()
        self.process.wait()
