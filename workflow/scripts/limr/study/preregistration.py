"""What a study declares before it runs: its main comparison, weights, reported step, margin, level.

Every table, figure and sentence of the results takes these from here. A study that declares nothing
reports the last step, weighs its benchmarks alike and takes intervals at 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limr.core.errors import InputError, nearest
from limr.statistics.intervals import LEVEL


@dataclass(frozen=True)
class Declaration:
    """A study's declaration; None: not said.

    Attributes:
        arm: the group of the primary comparison.
        against: the group that it is compared with.
        claim: `difference` or `equivalence`.
        margin: largest difference in accuracy, in (0, 1], that counts as none.
        level: of intervals, in (0, 1).
        weights: benchmark -> weight > 0; empty: all alike.
        validation: the benchmark that steps are chosen by and that is never reported.
        checkpoint: `last` or `validation`.
    """

    arm: str | None = None
    against: str | None = None
    claim: str = "difference"
    margin: float | None = None
    level: float = LEVEL
    weights: Mapping[str, float] | None = None
    validation: str | None = None
    checkpoint: str = "last"

    @property
    def percent(self) -> str:
        """The level for people, e.g. `95 %`."""
        return f"{100 * self.level:g} %"

    def weight(self, benchmarks: Sequence[str]) -> dict[str, float]:
        """Return benchmark -> its weight among those given; they sum to 1."""
        found = {name: (self.weights or {}).get(name, 1.0) for name in benchmarks}
        return {name: weight / sum(found.values()) for name, weight in found.items()}


def of(study: Mapping[str, Any]) -> Declaration:
    """Return the declaration of a study's overview (`limr.study.study.Study.overview`).

    The margin is given in points and kept as a share.
    """
    given = dict(study.get("declared") or {})
    margin = given.pop("margin", None)
    return Declaration(margin=None if margin is None else margin / 100, **given)


def check(declared: Mapping[str, Any], groups: Sequence[str], benchmarks: Sequence[str]) -> None:
    """Refuse a declaration that cannot be kept.

    Args:
        declared: the keys under `declared`, checked by the schema.
        groups: the study's arms as configured.
        benchmarks: those under `evaluate.benchmarks`.

    Raises:
        InputError: the message begins with the key.
    """
    for key in ("arm", "against"):
        if key in declared and declared[key] not in groups:
            raise InputError(
                f"{key}: there is no arm '{declared[key]}'.{nearest(declared[key], groups)}"
            )
    if "against" in declared and "arm" not in declared:
        raise InputError("arm: 'against' is given without the arm that is compared with it.")
    if "arm" in declared and declared["arm"] == declared.get("against"):
        raise InputError(f"against: '{declared['arm']}' cannot be compared with itself.")
    if declared["claim"] == "equivalence" and "margin" not in declared:
        raise InputError(
            "margin: 'claim: equivalence' needs it: the largest difference, in points, that "
            "counts as none."
        )
    _check_validation(declared, benchmarks)
    _check_weights(declared, [name for name in benchmarks if name != declared.get("validation")])


def _check_validation(declared: Mapping[str, Any], benchmarks: Sequence[str]) -> None:
    name = declared.get("validation")
    if name is None:
        if declared["checkpoint"] == "validation":
            raise InputError(
                "validation: 'checkpoint: validation' needs a held-out benchmark to choose by."
            )
        return
    if name not in benchmarks:
        raise InputError(
            f"validation: '{name}' is not under evaluate.benchmarks.{nearest(name, benchmarks)}"
        )
    if name in declared["weights"]:
        raise InputError(
            f"validation: '{name}' has a weight under declared.weights, so that it would be "
            "reported too. Hold out another benchmark, or take the weight away."
        )
    if len(benchmarks) == 1:
        raise InputError(f"validation: '{name}' is the only benchmark; nothing would be reported.")


def _check_weights(declared: Mapping[str, Any], reported: Sequence[str]) -> None:
    weights = declared["weights"]
    for name in weights:
        if name not in reported:
            raise InputError(f"weights: there is no benchmark '{name}'.{nearest(name, reported)}")
    lacking = [name for name in reported if weights and name not in weights]
    if lacking:
        raise InputError(f"weights: '{lacking[0]}' has none. Give every reported benchmark one.")
