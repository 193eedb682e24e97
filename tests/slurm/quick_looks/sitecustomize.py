"""Tests only: Snakemake looks at its SLURM jobs every LIMR_TESTS_LOOK seconds.

The plug-in waits 10 s longer after every look at which no job has ended, which is most of the time
of a test whose jobs take seconds. How it looks and what it does with what it sees stays its own.
Nor does Python look for garbage among what it imports: a third of a start, of two or three a job.
"""

import atexit
import gc
import importlib.abc
import importlib.util
import os
import sys

NAME = "snakemake_interface_executor_plugins.executors.remote"


def quicken(module, seconds):
    """Replace the pause between two looks."""
    import asyncio

    async def sleep(_executor):
        await asyncio.sleep(seconds)

    module.RemoteExecutor.sleep = sleep


class _Loader(importlib.abc.Loader):
    def __init__(self, loader, seconds):
        self.loader, self.seconds = loader, seconds

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        quicken(module, self.seconds)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, seconds):
        self.seconds = seconds

    def find_spec(self, name, path=None, target=None):
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        spec.loader = _Loader(spec.loader, self.seconds)
        return spec


if os.environ.get("LIMR_TESTS_LOOK"):
    gc.set_threshold(1_000_000)
    atexit.register(gc.freeze)
    sys.meta_path.insert(0, _Finder(float(os.environ["LIMR_TESTS_LOOK"])))
