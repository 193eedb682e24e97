"""Scripts that a fork runs find what `python SCRIPT` gives them, and end as they would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import warm_jobs

pytestmark = pytest.mark.slow
SCRIPT = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), os.environ["GIVEN"], __name__, sys.stdin.read(),
                  sys.path[:2], sorted(m for m in sys.modules if m.split(".")[0] == "limr")]),
      flush=True)
print("said", file=sys.stderr, flush=True)
exec(os.environ["END"])
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('why')", 1),
        ("1 / 0", 1),
        ("os.kill(os.getpid(), 9)", -9),
        ("import atexit; atexit.register(print, 'at the end'); print('not flushed')", 0),
    ],
)
def test_a_fork_is_as_a_new_process(tmp_path: Path, end: str, code: int) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("{}")
    script = tmp_path / "tmp123.select_subset.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "GIVEN": "ä", "END": end, "PYTHONPATH": str(tmp_path / "own")}
    found = [
        subprocess.run(
            [program, str(script), "word"],
            cwd=tmp_path,
            env=environment,
            input="typed",
            capture_output=True,
            text=True,
            check=False,
        )
        for program in (warm_jobs.program(study), sys.executable)
    ]
    assert found[0].returncode == found[1].returncode == code
    assert found[0].stdout == found[1].stdout
    assert json.loads(found[0].stdout.splitlines()[0])[:2] == [[str(script), "word"], str(tmp_path)]
    assert "said" in found[0].stderr
    assert ("ZeroDivisionError" in found[0].stderr) == ("1 / 0" in end)
    assert ("why" in found[0].stderr) == ("why" in end)


def test_a_portable_study_finds_no_pytorch(tmp_path: Path) -> None:
    study, script = tmp_path / "study.yaml", tmp_path / "tmp123.train_ppo.py"
    script.write_text("import sys\nprint('torch' in sys.modules)\n")
    for text, said in (("determinism: portable", "False"), ("determinism: machine", "True")):
        study.write_text(text)
        words = [warm_jobs.program(study), str(script)]
        assert subprocess.check_output(words, text=True).strip() == said
