"""Reading YAML and JSON of strangers: bounded in size, without aliases, never code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from limr.core.errors import InputError

LARGEST = 64 << 20  # bytes; a crate of 100,000 files has half of this
LARGEST_YAML = 1 << 20


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a few lines of them can stand for more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read here: spell the value out")
        return super().compose_node(parent, index)


def _content(path: Path, largest: int) -> bytes:
    try:
        if path.stat().st_size > largest:
            raise InputError(f"{path}: larger than {largest >> 20} MB, which no such file is.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML document, a mapping.

    Raises:
        InputError: missing, larger than 1 MB, not YAML, with aliases, or not a mapping.
    """
    try:
        value = yaml.load(_content(path, LARGEST_YAML), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping, found {type(value).__name__}.")
    return value


def read_json(path: Path) -> Any:
    """Return a JSON document.

    Raises:
        InputError: missing, larger than 64 MB, not JSON, or nested too deeply.
    """
    try:
        return json.loads(_content(path, LARGEST))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from None
