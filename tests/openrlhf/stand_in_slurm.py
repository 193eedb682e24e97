"""A stand-in for SLURM's commands, for tests on one machine: two `nodes` that are this one.

It shows that the launcher asks for the right things and survives what goes wrong. It is no SLURM:
docs/plan.md says what has been run where.
"""

from __future__ import annotations

import sys
from pathlib import Path

SRUN = """\
#!{python}
# Stand-in: a step on one "node" is a process on this machine.
import os, sys
words = sys.argv[1:]
while words and words[0].startswith("--"):
    option = words.pop(0)
    if option.startswith("--nodelist="):
        node = option.partition("=")[2]
assert not [name for name in os.environ if name.startswith("SLURM_") and name != "SLURM_JOB_ID"]
with open(os.environ["STAND_IN_LOG"], "a") as log:
    log.write(node + " " + " ".join(words[:3]) + "\\n")
if node == os.environ.get("STAND_IN_HANGS") and words[0] != "rm":
    words = ["sleep", "600"]
os.execvp(words[0], words)
"""
SQUEUE = "#!/bin/sh\necho 'left[1-2]'\n"
SCONTROL = """\
#!/bin/sh
case "$2" in
  hostnames) printf 'left1\\nleft2\\n';;
  job) echo 'JobId=77 NumNodes=2 NumCPUs=8';;
  node) echo "NodeName=$3 NodeAddr=127.0.0.1 NodeHostName=$3";;
esac
"""


def make(folder: Path) -> dict[str, str]:
    """Write the commands into a folder; return what must stand in the environment, PATH apart."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"srun": SRUN.format(python=sys.executable), "squeue": SQUEUE, "scontrol": SCONTROL}
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    return {
        "SLURM_JOB_ID": "77",
        "SLURM_STEP_ID": "0",
        "SLURM_JOB_NUM_NODES": "1",
        "STAND_IN_LOG": str(folder / "srun.log"),
    }
