"""Loading a DeepSpeed checkpoint, as the trainer does, and with new optimizers where that is asked.

DeepSpeed itself can leave the optimizers out. But then it takes the 32-bit weights from the 16-bit
ones, and the policy that the run goes on from would be another. So everything is loaded, and what
belongs to the optimizers is put back as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from limr.core.errors import InputError


def loaded(load: Callable[..., Any], engine: Any, folder: str, *, fresh: bool) -> Any:
    """Return what `load` returns, after it has loaded a checkpoint into a DeepSpeed engine.

    Args:
        load: the trainer's own function; it takes what DeepSpeed's `load_checkpoint` takes.
        engine: the engine, new: it has done no step.
        folder: where the checkpoint is.
        fresh: begin with a new optimizer and its schedule.

    Raises:
        InputError: nothing was loaded. The trainer would go on with new weights.
    """
    before = _settings(engine.optimizer.optimizer) if fresh else None
    path, states = load(**({"load_lr_scheduler_states": False} if fresh else {}))
    if path is None:
        raise InputError(f"{folder}: the trainer has loaded no checkpoint from there.")
    if before is not None:
        _put_back(engine.optimizer.optimizer, *before)
    # Which problems come next is ours to say, and the loader may be one of other problems.
    return path, {**states, "data_loader_state_dict": {}}


def _settings(optimizer: Any) -> tuple[list[dict[str, Any]], dict[Any, dict[str, Any]]]:
    """Return the settings of each group, and what is counted of each parameter."""
    groups = [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]
    counts = {
        parameter: {name: _copy(value) for name, value in state.items() if _is_count(value)}
        for parameter, state in optimizer.state.items()
    }
    return groups, counts


def _put_back(
    optimizer: Any, groups: list[dict[str, Any]], counts: dict[Any, dict[str, Any]]
) -> None:
    for group, before in zip(optimizer.param_groups, groups, strict=True):
        for name in set(group) - {"params", *before}:
            del group[name]
        group.update(before)
    for parameter, state in list(optimizer.state.items()):
        if parameter not in counts:  # it had none yet, and is given one when it is first needed
            del optimizer.state[parameter]
            continue
        for name, value in list(state.items()):
            if not _is_count(value):
                value.zero_()
            elif name not in counts[parameter]:
                del state[name]
        state.update(counts[parameter])


def _is_count(value: Any) -> bool:
    """Whether it is a number, as the steps done, and no moments."""
    return not hasattr(value, "numel") or value.numel() == 1


def _copy(value: Any) -> Any:
    return value.clone() if hasattr(value, "clone") else value
