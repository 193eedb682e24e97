"""What a training step frees stays with the process."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from limr.train.embedded import memory

# Steps that take and free 64 MB: how many pages the kernel had to give for the last three, and
# whether it was asked for huge ones. The process may have none, so that all pages count alike.
STEPS = """
import ctypes, resource, sys
from pathlib import Path
from limr.train.embedded import memory

def step():
    return len([bytearray(1 << 22) for _ in range(16)])

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

PR_SET_THP_DISABLE = 41
ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
for _ in range(int(sys.argv[1])):
    memory.keep()
step(), step()
before = faults()
step(), step(), step()
print(faults() - before, " hg " in Path("/proc/self/smaps").read_text())
"""


def pages(calls):
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(calls)], capture_output=True, text=True, check=True
    )
    taken, huge = done.stdout.split()
    return int(taken), huge == "True"


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="the C library is not glibc"
)
def test_a_step_takes_no_pages_from_the_kernel():
    can_be_huge = Path("/sys/kernel/mm/transparent_hugepage").exists()
    assert pages(0)[0] > 1000  # glibc's own way
    taken, huge = pages(2)  # a process may open the engine again
    assert taken < 100
    assert huge == can_be_huge


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep()
