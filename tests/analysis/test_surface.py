"""The smooth surface: it holds the truth, knows its doubt, and takes errors that hang together."""

import dataclasses
import math

import numpy as np
import pytest

import synthetic_sweep
from limr.analysis import map as mapping
from limr.analysis import surface

PAIR = ("limr", "rand")


def rises(arm, step):
    """Choosing is worth the more the more of the pool is useless, at every size and step."""
    return synthetic_sweep.nothing(arm, step) + (
        0.3 * arm["cell"]["useless"] if arm["of"] == "limr" else 0.0
    )


@pytest.fixture(scope="module")
def inputs():
    return synthetic_sweep.inputs(rises, questions=60, seeds=(1, 2, 3, 4))


@pytest.mark.slow
def test_the_band_holds_the_truth_and_is_narrower_than_the_cells(inputs):
    found = mapping.differences(inputs, PAIR)
    told = surface.at_cells(inputs, found)
    true = np.array([30 * one.place["useless"] for one in found])
    mean, error = np.array(told).T
    assert np.mean(np.abs(mean - true) <= 1.96 * error) >= 0.85
    own = np.array([100 * one.estimate.standard_error for one in found])
    assert error.mean() < own.mean()
    raw = np.array([100 * one.estimate.mean for one in found])
    assert np.mean((mean - true) ** 2) < np.mean((raw - true) ** 2)
    between = surface.surfaces(inputs, PAIR)[0]
    far = between.at([{"useless": 0.4, "size": 50, "step": 30}])
    assert abs(far[0][0] - 12) <= 2.6 * far[1][0]


def test_errors_of_cells_with_one_reference_hang_together(inputs):
    found = [one for one in mapping.differences(inputs, ("limr", "full"))
             if one.place["useless"] == 0.5 and one.step in (24, 48)]  # fmt: skip
    known = surface.covariance(inputs, found)
    assert known == pytest.approx(known.T)
    assert np.linalg.eigvalsh(known).min() > -1e-9
    spread = np.sqrt(np.diag(known))
    together = known / np.outer(spread, spread)
    same_step = [together[i, j] for i, one in enumerate(found) for j, other in enumerate(found)
                 if i < j and one.step == other.step]  # fmt: skip
    assert min(same_step) > 0.2  # half, were all errors of one size
    again = surface.covariance(inputs, found)
    assert np.array_equal(known, again)


def test_values_that_are_no_numbers_have_surfaces_of_their_own(inputs):
    names = {0: "none", 0.25: "few", 0.5: "half"}
    arms = [{**arm, "cell": {**arm["cell"], "useless": names[arm["cell"]["useless"]]}}
            if "cell" in arm else arm for arm in inputs.study["arms"]]  # fmt: skip
    sweep = {**inputs.study["sweep"], "useless": list(names.values())}
    named = dataclasses.replace(inputs, study={**inputs.study, "arms": arms, "sweep": sweep})
    found = surface.surfaces(named, PAIR)
    assert [dict(one.fixed) for one in found] == [{"useless": name} for name in names.values()]
    assert [axis.name for axis in found[0].axes] == ["size", "step"]


@pytest.mark.parametrize(
    ("values", "log"), [([32, 64, 128], True), ([0, 0.25, 0.5], False), ([10, 20, 30], False)]
)
def test_axes_are_scaled_to_their_range(values, log):
    axis = surface.axis("a", values)
    assert axis.log is log
    assert axis.scaled([values[0], values[-1]]) == pytest.approx([0, 1])
    middle = math.sqrt(values[0] * values[-1]) if log else (values[0] + values[-1]) / 2
    assert axis.scaled([middle]) == pytest.approx([0.5])
    assert axis.scaled(axis.between(5)) == pytest.approx(np.linspace(0, 1, 5))


def test_what_is_no_number_has_no_axis():
    assert surface.axis("a", ["x", "y"]) is None
    assert surface.axis("a", [True, False]) is None
    assert surface.axis("a", [3, 3]) is None


def test_too_few_cells_have_no_surface():
    few = synthetic_sweep.inputs(axes={"useless": [0], "size": [32]}, questions=8, seeds=(1, 2))
    found = mapping.differences(few, PAIR)
    assert surface.surfaces(few, PAIR) == []
    assert all(math.isnan(mean) for mean, _ in surface.at_cells(few, found))
