"""The types of answers: what the text of an answer is read as, complete or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from limr.grading.nodes import Node
from limr.grading.units import Unit


@dataclass(frozen=True)
class Quantity:
    """A number or an expression, with its unit if it has one."""

    node: Node
    unit: Unit | None = None
    kind = "expression"

    @property
    def says_more(self) -> bool:
        """Whether words stand behind it that no table of units has."""
        return self.unit is not None and bool(self.unit.words or self.unit.beside)


@dataclass(frozen=True)
class Listing:
    r"""Several values: a list (no brackets), tuple, interval (`(`, `[`), set (`\{`) or vector.

    `joined` is how a list without brackets is joined: "," or "and" or "or".
    """

    items: tuple[Value, ...]
    opening: str = ""
    closing: str = ""
    joined: str = ","
    kind = "list"


@dataclass(frozen=True)
class Relation:
    r"""Terms with the signs between them: `x = 5`, `-2 < x < 3`, `x \in A`."""

    terms: tuple[Value, ...]
    signs: tuple[str, ...]
    kind = "relation"


@dataclass(frozen=True)
class Combined:
    r"""Sets combined by `\cup`, `\cap` or `\setminus`."""

    sign: str
    parts: tuple[Value, ...]
    kind = "set"


@dataclass(frozen=True)
class Ratio:
    """`3:4:5`."""

    terms: tuple[Node, ...]
    kind = "ratio"


@dataclass(frozen=True)
class Clock:
    """A time of day; `half` is am, pm or ""."""

    hour: int
    minute: int
    half: str
    kind = "time"


@dataclass(frozen=True)
class Based:
    """A number in a base, by its digits."""

    digits: str
    base: int
    kind = "base"


@dataclass(frozen=True)
class Residue:
    """A number and the modulus that it is taken by."""

    node: Node
    modulus: Node
    kind = "residue"


@dataclass(frozen=True)
class Text:
    """Words: no value that this grammar computes with."""

    words: tuple[str, ...]
    kind = "text"


@dataclass(frozen=True)
class Choice:
    """The letter of a choice, perhaps with what it says."""

    letter: str
    content: Value | None = None
    kind = "choice"


@dataclass(frozen=True)
class Cases:
    """A function by cases: rows of value and condition."""

    rows: tuple[tuple[Value, Value], ...]
    kind = "cases"


@dataclass(frozen=True)
class Unread:
    """A text that the grammar has no reading for, by its spelling."""

    spelled: str
    why: str = field(default="", compare=False)
    kind = "unread"


Value = (
    Quantity
    | Listing
    | Relation
    | Combined
    | Ratio
    | Clock
    | Based
    | Residue
    | Text
    | Choice
    | Cases
    | Unread
)
