"""Learning curves: samples taken and correct by problem and epoch, and missing epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BeforeValidator, Field

from limr.core.arrow import strings, vector
from limr.core.errors import InputError, nearest
from limr.core.validation import OneOf, refused

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64] | npt.NDArray[np.int32]

# What is done with a problem that was not sampled in every epoch; the first is the paper's code's.
MISSING_RULES = ("backfill-one", "strict", "backfill", "mean-of-present")

Missing = Annotated[
    str,
    OneOf(MISSING_RULES),
    Field(
        description="What to do with an epoch in which a problem was not sampled. `backfill-one` "
        "(the paper's code): it takes the next epoch's value if that one is there. `backfill`: it "
        "takes the value of the next epoch that was sampled, however far. `mean-of-present`: it "
        "takes the mean over the problem's sampled epochs. `strict`: nothing is filled. A problem "
        "with an epoch still missing is not scored."
    ),
]
# Which epochs: None, a number of first ones, {"last": K}, or {"from": a, "to": b}.
Wanted = int | Mapping[str, int] | None


def _named(value: Any) -> Any:
    """Refuse a mapping that has not the keys of a range of epochs."""
    if isinstance(value, dict) and set(value) not in ({"last"}, {"from", "to"}):
        raise refused(
            f" has the keys {list(value)}: give {{last: K}}, or {{from: A, to: B}}, with a blank "
            "after each colon."
        )
    return value


def _ordered(value: Any) -> Any:
    """Refuse a range of epochs that ends before it begins."""
    if isinstance(value, dict) and "from" in value and value["from"] > value["to"]:
        raise refused(f": from {value['from']} lies after to {value['to']}. Swap them.")
    return value


_Count = Annotated[int, Field(ge=1)]
Epochs = Annotated[
    _Count | dict[str, _Count] | None,
    BeforeValidator(_named),
    AfterValidator(_ordered),
    Field(
        description="Which epochs to score from. `K`: the first K. `{last: K}`: the last K; of a "
        "log that ends within an epoch, the last K whole ones, and pass rates take the rest too. "
        "`{from: A, to: B}`: epochs A to B, both counted, from 1. null: all that were recorded."
    ),
]

# In a table's metadata: see `Samples.whole`.
WHOLE = b"whole_epochs"

NOT_SAMPLED = "not sampled in any epoch"
INCOMPLETE = "an epoch is missing"


@dataclass(frozen=True)
class Samples:
    """How often each problem was sampled, and solved, in each epoch.

    Attributes:
        n: (n_problems, n_epochs) samples; 0 = not sampled.
        n_correct: (n_problems, n_epochs) correct ones, at most `n`.
        whole: how many epochs curves are made of, where the log ends within one: pass rates take
            all samples, curves the epochs that nearly all problems have. None: all.
    """

    n: Ints
    n_correct: Ints
    whole: int | None = None

    @property
    def n_epochs(self) -> int:
        """The number of epochs."""
        return int(self.n.shape[1])

    @property
    def accuracy(self) -> Floats:
        """(n_problems, n_epochs) share of correct samples in [0, 1]; NaN = not sampled."""
        return _share(self.n_correct, self.n)

    @property
    def pass_rate(self) -> Floats:
        """(n_problems,) share of correct samples over all epochs; NaN = never sampled."""
        # Four times as fast as `sum` along short rows.
        return _share(np.einsum("ij->i", self.n_correct), np.einsum("ij->i", self.n))

    def first(self, epochs: int | None) -> Samples:
        """Return the first epochs only; None: all.

        Raises:
            InputError: more epochs are asked for than were recorded.
        """
        if epochs is None:
            return self
        _check(epochs, self.n_epochs)
        return Samples(self.n[:, :epochs], self.n_correct[:, :epochs])

    def within(self, epochs: Wanted) -> Samples:
        """Return the samples of the wanted epochs only (see `Epochs`).

        Raises:
            InputError: epochs are asked for that were not recorded.
        """
        if not isinstance(epochs, Mapping):
            return self.first(epochs)
        if "last" in epochs:
            count = epochs["last"]
            known = self.whole or self.n_epochs
            _check(count, known)
            chosen, whole = slice(known - count, None), count if self.whole else None
        else:
            _check(epochs["to"], self.n_epochs)
            chosen, whole = slice(epochs["from"] - 1, epochs["to"]), None
        return Samples(self.n[:, chosen], self.n_correct[:, chosen], whole)


def _check(asked: int, recorded: int) -> None:
    if asked > recorded:
        raise InputError(
            f"epochs: {asked} epochs are asked for, {recorded} are recorded. Ask for at most "
            f"{recorded}."
        )


def _share(part: Ints | Floats, whole: Ints) -> Floats:
    """Return part / whole; NaN where the whole is 0, and so the part."""
    with np.errstate(invalid="ignore"):
        result: Floats = part / whole
    return result


@dataclass(frozen=True)
class Curves:
    """Learning curves that are ready to be scored.

    Attributes:
        accuracy: (n_problems, n_epochs) accuracy in [0, 1] after the missing-epoch rule; NaN =
            still missing.
        usable: (n_problems,) whether every epoch is there.
        mean: (n_epochs,) mean accuracy over the usable problems, the paper's reference curve;
            NaN where there is no usable problem.
        reasons: why problems are not usable -> (n_problems,) which ones.
    """

    accuracy: Floats
    usable: Flags
    mean: Floats
    reasons: Mapping[str, Flags]

    @property
    def whole(self) -> Floats:
        """(n_usable, n_epochs) the usable curves; not a copy where all are usable."""
        return self.accuracy if self.usable.all() else self.accuracy[self.usable]


def samples(trajectories: pa.Table, problem_ids: Sequence[str] | pa.Array) -> Samples:
    """Return a table of trajectories as matrices.

    Args:
        trajectories: see `limr.core.tables.TRAJECTORIES`; at most one row per problem and epoch.
        problem_ids: the rows of the result, in order.

    Raises:
        InputError: no rows, or a row's problem is not in `problem_ids`.
    """
    if trajectories.num_rows == 0:
        raise InputError("trajectories: no rows, so there is nothing to score from.")
    ids = strings(problem_ids) if isinstance(problem_ids, Sequence) else problem_ids
    found = pc.index_in(trajectories["problem_id"], ids)
    if found.null_count:
        unknown = trajectories["problem_id"][pc.index(pc.is_null(found), True).as_py()].as_py()
        known = nearest(unknown, ids.to_pylist()) if len(ids) < 100 else ""
        raise InputError(f"trajectories: problem_id '{unknown}' is not among the problems.{known}")
    epoch = vector(trajectories["epoch"])
    shape = (len(ids), int(epoch.max()) + 1)
    where = (vector(found), epoch)
    n, n_correct = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    n[where] = vector(trajectories["n"])
    n_correct[where] = vector(trajectories["n_correct"])
    whole = (trajectories.schema.metadata or {}).get(WHOLE)
    return Samples(n, n_correct, None if whole is None else int(whole))


def fill_missing(accuracy: Floats, rule: str) -> Floats:
    """Return the curves with missing epochs filled by the rule (one of `MISSING_RULES`).

    `backfill-one` is one step deep, as in the paper's code: of two missing epochs in a row only the
    second is filled, and the last epoch never is. `backfill` fills any run of missing epochs from
    the next sampled one, but never the last epoch. `mean-of-present` fills every gap of a problem
    that was sampled at all. `strict` fills nothing. The input itself is not changed.

    Raises:
        InputError: there is no such rule.
    """
    if rule not in MISSING_RULES:
        raise InputError(f"missing: there is no rule '{rule}'.{nearest(rule, MISSING_RULES)}")
    gaps = np.isnan(accuracy)
    if rule == "strict" or not gaps.any():
        return accuracy
    filled = accuracy.copy()
    if rule == "backfill-one":
        # From the values before filling, so that a filled epoch never fills another one.
        filled[:, :-1] = np.where(gaps[:, :-1], accuracy[:, 1:], accuracy[:, :-1])
    elif rule == "backfill":
        for epoch in range(accuracy.shape[1] - 2, -1, -1):
            filled[:, epoch] = np.where(gaps[:, epoch], filled[:, epoch + 1], filled[:, epoch])
    else:
        mean = _share(np.where(gaps, 0.0, accuracy).sum(axis=1), (~gaps).sum(axis=1))
        # Rounding must not leave the observed range, so that a constant curve stays constant.
        mean = np.clip(mean, np.fmin.reduce(accuracy, axis=1), np.fmax.reduce(accuracy, axis=1))
        filled = np.where(gaps, mean[:, np.newaxis], accuracy)
    return filled


def curves(samples: Samples, epochs: Wanted = None, missing: str = MISSING_RULES[0]) -> Curves:
    """Return the learning curves of the wanted epochs after the missing-epoch rule (see `Curves`).

    The mean curve is over the usable problems, as in the paper's code.

    Raises:
        InputError: see `Samples.within` and `fill_missing`.
    """
    used = samples.within(epochs)
    sampled = used.first(used.whole).accuracy
    filled = fill_missing(sampled, missing)
    n_epochs = filled.shape[1]
    # Where one is NaN the sum is: a product is several times faster than a look along short rows.
    usable = np.asarray(~np.isnan(filled @ np.ones(n_epochs)))
    absent = np.zeros(len(filled), bool)
    absent[~usable] = np.isnan(sampled[~usable]).all(axis=1)
    whole = filled if usable.all() else filled[usable]
    mean = whole.mean(axis=0) if len(whole) else np.full(n_epochs, np.nan)
    reasons = {NOT_SAMPLED: absent & ~usable, INCOMPLETE: ~absent & ~usable}
    return Curves(filled, usable, mean, reasons)


def solved(trajectories: pa.Table) -> dict[str, str]:
    """Return problem_id -> "never", "sometimes" or "always" solved, over all recorded epochs."""
    sums = trajectories.to_pandas().groupby("problem_id", sort=False)[["n", "n_correct"]].sum()
    return {
        key: "never" if correct == 0 else "always" if correct == n else "sometimes"
        for key, n, correct in sums.itertuples()
    }
