"""What a training step frees stays with the process."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from limr.train.embedded import memory

# Steps that take and free 64 MB, and how many pages the kernel had to give for the last three.
STEPS = """
import resource, sys
from limr.train.embedded import memory

def step():
    return len([bytearray(1 << 22) for _ in range(16)])

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(int(sys.argv[1])):
    memory.keep()
step(), step()
before = faults()
step(), step(), step()
print(faults() - before)
"""


def pages(calls):
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(calls)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="the C library is not glibc"
)
def test_a_step_takes_no_pages_from_the_kernel():
    assert pages(0) > 1000  # glibc's own way
    assert pages(1) < 100
    assert pages(2) < 100  # a process that opens the engine again


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep()
