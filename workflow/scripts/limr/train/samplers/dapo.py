"""DAPO: draws again until the batch has only groups with a signal, or the tries are used up.

A group has a signal if some of its samples are right and some wrong (DAPO's dynamic sampling, arXiv
2503.14476). The batches of the uniform order are drawn one after another, several in a step, until
`prompts_per_step` groups have a signal; the first of them are trained on. What is drawn beyond that
is not trained on. It is recorded and charged all the same.

At the bound, after `tries` draws or when the step has drawn every problem once, the batch is filled
with the groups without a signal that were drawn first: a step always trains on a whole batch.

A reconstruction: at its bound verl's code stops the run with an error instead. Whether a sample is
right comes from its verdict, not from its reward. The rest of DAPO (clipping, loss) is not here.
PPO's critic learns from groups without a signal too, unlike GRPO, for which the filter was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limr.core.validation import Keys, key
from limr.train.drawing import View

LEAST_SAMPLES = 2  # one sample is never mixed


class Options(Keys):
    """Keys of `arms.*.sampler`."""

    tries: int = key(4, "Most draws of a step, each of a whole batch.", ge=1)


def choose(view: View, options: Mapping[str, Any]) -> Sequence[int]:
    """Return the next batch of the order, without problems that the step has drawn already."""
    there = {group.problem for group in view.groups}
    return [one for one in view.order.batch(len(view.draws) + 1) if one not in there]


def kept(view: View, options: Mapping[str, Any]) -> Sequence[int] | None:
    """Return the places, among the step's groups, of those to train on; None: draw again."""
    size = min(view.order.size, view.order.problems)
    places = [place for place, group in enumerate(view.groups) if group.mixed]
    if len(places) >= size:
        return places[:size]
    if view.tries < options["tries"] and len(view.groups) < view.order.problems:
        return None
    others = [place for place in range(len(view.groups)) if place not in places]
    return sorted(places + others[: size - len(places)])
