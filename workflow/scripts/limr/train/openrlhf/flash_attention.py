"""OpenRLHF where flash-attn is not installed: with `attention: sdpa` or `eager` it can do without.

OpenRLHF imports five functions of flash-attn in `openrlhf.models.ring_attn_utils`, whatever the
attention is, and calls them only to pack and to spread a sequence over GPUs. While that module is
imported, and only then, names stand there that refuse to be called. Nobody else sees a module
`flash_attn`: transformers, vLLM and OpenRLHF's losses look whether there is one, and choose.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from limr.core.errors import InputError

IMPORTER = "openrlhf.models.ring_attn_utils"
NEEDED = "flash_attention_2"
_NAMES = {
    "flash_attn": (),
    "flash_attn.bert_padding": ("index_first_axis", "pad_input", "rearrange", "unpad_input"),
    "flash_attn.utils": (),
    "flash_attn.utils.distributed": ("all_gather",),
}


def check(arguments: Sequence[str]) -> None:
    """Refuse a trainer's arguments that need flash-attn where it is not installed."""
    if NEEDED in arguments and not _installed():
        raise InputError(
            "engines.openrlhf.attention: 'flash_attention_2' needs the package flash-attn, which "
            "is not installed here. Install envs/flash-attn.lock, or set attention to sdpa and "
            "packing to false: slower, more memory, the same losses (docs/openrlhf.md)."
        )


@contextmanager
def stand_in() -> Iterator[None]:
    """Let `IMPORTER` be imported in this block, with flash-attn or without."""
    names = {} if _installed() else {name: _module(name) for name in _NAMES}
    sys.modules.update(names)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _installed() -> bool:
    found = importlib.util.find_spec("flash_attn")
    return found is not None and found.origin is not None  # an empty folder of this name is none


def _module(name: str) -> ModuleType:
    found = ModuleType(name)
    for each in _NAMES[name]:
        setattr(found, each, _refuse)
    return found


def _refuse(*_arguments: Any, **_options: Any) -> Any:
    raise ModuleNotFoundError("flash_attn is not installed, and this needs it")
