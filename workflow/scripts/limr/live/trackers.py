"""TensorBoard, Weights & Biases and trackio: where live curves go, each offline and in a folder.

A tracker is opened for one curve, a run's or an attempt's; its packages are imported only then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from limr.core.errors import InputError

# What must be there for a tracker: the name of its package to import and to install.
PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "trackio": "trackio"}
# Variables that would send trackio's numbers elsewhere.
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_DATASET_ID", "TRACKIO_BUCKET_ID")


class Tracker(Protocol):
    """A curve that is open for writing."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers of a step; later calls may add others of the same step."""
        ...

    def close(self) -> None:
        """Write what waits, and end."""
        ...


def check(name: str) -> None:
    """Refuse a tracker whose package is not installed.

    Raises:
        InputError: says what to install, and where.
    """
    if find_spec(PACKAGES[name]) is None:
        raise InputError(
            f"live_curves.to: the package '{PACKAGES[name]}' is not installed beside the Python "
            f"that runs Snakemake. Install it there (`pip install {PACKAGES[name]}`), or leave "
            "live_curves out: the results are the same without it."
        )


class TensorBoard:
    """A folder of event files, which `tensorboard --logdir` reads as they grow."""

    def __init__(self, folder: Path, _study: str, curve: str, _arm: str) -> None:
        from tensorboard.summary import Writer

        self.writer = Writer(str(folder / curve))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers of a step."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def close(self) -> None:
        """End."""
        self.writer.close()


class WeightsAndBiases:
    """An offline run, which `wandb sync` uploads where the user wants that."""

    def __init__(self, folder: Path, study: str, curve: str, arm: str) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True)
        self.run: Any = wandb.init(
            mode="offline", dir=str(folder), project=study, name=curve, group=arm,
            id=f"{study}-{curve}", resume="allow", reinit="create_new", settings=quiet,
        )  # fmt: skip
        self.run.define_metric("*", step_metric="step")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers of a step: a row of its own, since older steps may still get some."""
        self.run.log({"step": step, **values})

    def close(self) -> None:
        """End."""
        self.run.finish()


class Trackio:
    """A database in a folder, which `trackio show` reads."""

    def __init__(self, folder: Path, study: str, curve: str, arm: str) -> None:
        os.environ |= {"TRACKIO_DIR": str(folder.absolute()), "HF_HUB_OFFLINE": "1"}
        for name in _ELSEWHERE:
            os.environ.pop(name, None)
        import trackio

        self.run: Any = trackio.init(
            project=study, name=curve, group=arm, resume="allow", embed=False,
            auto_log_cpu=False, auto_log_gpu=False,
        )  # fmt: skip

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers of a step."""
        self.run.log(dict(values), step=step)

    def close(self) -> None:
        """End."""
        self.run.finish()


KINDS: Mapping[str, type[TensorBoard | WeightsAndBiases | Trackio]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "trackio": Trackio,
}
