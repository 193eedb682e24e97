"""One job of a study: a rule with its inputs, outputs and settings, as paths from the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Paths = str | list[str]


@dataclass(frozen=True)
class Job:
    """One run of a script: names -> paths, relative to the folder with `results/`.

    Attributes:
        script: the script's name, which is the rule's.
        input: as the rule names them; an input that is not wanted is an empty list.
        output: as the rule names them.
        settings: the rule's param `settings`.
        wildcards: the rule's wildcards.
    """

    script: str
    input: Mapping[str, Paths]
    output: Mapping[str, str]
    settings: Json
    wildcards: Mapping[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> list[str]:
        """The paths that it makes."""
        return list(self.output.values())

    @property
    def inputs(self) -> list[str]:
        """The paths that it reads."""
        found: list[str] = []
        for value in self.input.values():
            found += [value] if isinstance(value, str) else value
        return found
