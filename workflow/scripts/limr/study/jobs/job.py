"""One job of a study: a rule with what it reads, makes and is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Paths = str | Sequence[str]


@dataclass(frozen=True)
class Job:
    """One job; paths are relative to the project's folder.

    Attributes:
        rule: the rule's name.
        input: name -> what it reads, as the rule's script names it; empty where the job wants none.
        output: name -> what it makes.
        settings: what it is told of the study. Every key counts: a change of a value reruns it.
        wildcards: the rule's wildcards.
        plugins: (kind, name) of the plug-ins that it loads, whose code counts too.
        script: the rule's script, where it has another name.
    """

    rule: str
    input: Mapping[str, Paths]
    output: Mapping[str, Paths]
    settings: Json = field(default_factory=dict)
    wildcards: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[tuple[str, str], ...] = ()
    script: str = ""

    def __post_init__(self) -> None:
        """Name the script after the rule."""
        object.__setattr__(self, "script", self.script or self.rule)

    @property
    def inputs(self) -> list[str]:
        """The paths that it reads."""
        return flat(self.input)

    @property
    def outputs(self) -> list[str]:
        """The paths that it makes."""
        return flat(self.output)


def flat(named: Mapping[str, Paths]) -> list[str]:
    """Return all paths, in their order."""
    found: list[str] = []
    for value in named.values():
        found += [value] if isinstance(value, str) else value
    return found
