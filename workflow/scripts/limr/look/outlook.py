"""How sure the choice of a log's best prompts is, in a sentence and for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Any

from limr.core import plugins
from limr.core.errors import InputError
from limr.scores import enough
from limr.scores.enough import Outlook
from limr.trajectories.curves import Samples

FILTERED = (
    "How sure this choice is cannot be told: groups were left out by their outcome, so what is "
    "missing is not chance."
)
_DRAWS = 10  # a look is quick: the overlaps are good to some 2 points


def outlook(
    codes: set[str], samples: Samples, selector: str, options: Mapping[str, Any]
) -> Outlook | None:
    """Return how sure the best sixth is; None where the samples cannot say.

    They cannot where the trainer left groups out by their outcome: what is missing is not chance.

    Args:
        codes: of the findings of the log.
        samples: the log's.
        selector: what scores the prompts.
        options: its options, completed.
    """
    module = plugins.load("selectors", selector)
    if "filtered-groups" in codes or not module.NEEDS_TRAJECTORIES or module.SEEDED:
        return None
    try:
        return enough.outlook(samples, selector, options, draws=_DRAWS)
    except InputError:  # a selector that asks for more than samples, such as embeddings by id
        return None


def sentence(found: Outlook | None, codes: Set[str] = frozenset()) -> str:
    """Return how sure the choice is, and what would make it surer; empty where nothing is said.

    Args:
        found: see `outlook`.
        codes: of the findings of the log.
    """
    if found is None:
        return FILTERED if "filtered-groups" in codes else ""
    now, better = found.now, found.enough
    said = (
        f"Of the best sixth, unlimited samples of the same visits would choose {now.truth:.0%}, "
        f"a second log like this one {now.again:.0%}; "
    )
    if better is None:
        most = max(one.samples for one in found.others)
        return said + f"even {most} samples in every visit would not make it {found.wanted:.0%}."
    return said + (
        f"{better.samples} samples in each of {better.epochs} visits would be enough for "
        f"{found.wanted:.0%} ({better.cost} a prompt; the log has {now.samples * now.epochs})."
    )


def record(found: Outlook | None) -> Mapping[str, Any] | None:
    """Return what was found, for machines: shares of the chosen prompts."""
    if found is None:
        return None
    now, better = found.now, found.enough
    return {
        "samples": now.samples,
        "visits": now.epochs,
        "unlimited_samples": round(now.truth, 4),
        "second_log": round(now.again, 4),
        "wanted": found.wanted,
        "enough": None if better is None else {"samples": better.samples, "visits": better.epochs},
        "prospects": [
            {
                "samples": one.samples,
                "visits": one.epochs,
                "unlimited_samples": _known(one.truth),
                "second_log": _known(one.again),
            }
            for one in found.others
        ],
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
