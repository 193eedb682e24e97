"""Inside and outside of a pool: true differences are found on their side, runs count once."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import synthetic_sweep
from limr.analysis import transfer
from limr.core.errors import InputError
from limr.report import make
from limr.report.tables import transfer as table

INSIDE = {"0": ["sums"], "0.5": ["products"]}


def helps_inside(arm, step):
    """Choosing is worth 12 points where the pool is 0.5, which has the products."""
    gain = arm["of"] == "limr" and arm["cell"]["useless"] == 0.5
    return synthetic_sweep.nothing(arm, step) + (0.12 if gain else 0)


def two_benchmarks(gain_on):
    """Pools 0 and 0.5, benchmarks sums and products; limr gains where `gain_on(pool)` names it."""
    axes = {"useless": [0, 0.5], "size": [64]}
    parts = {
        name: synthetic_sweep.inputs(truth, axes=axes, seeds=(1, 2, 3), draw=draw, questions=40)
        for draw, (name, truth) in enumerate(gain_on.items())
    }
    whole = parts["sums"]
    frames = [one.evaluations.assign(benchmark=name) for name, one in parts.items()]
    study = {**whole.study, "benchmarks": [{"name": n, "title": n.title()} for n in parts]}
    return dataclasses.replace(whole, study=study, evaluations=pd.concat(frames))


@pytest.fixture(scope="module")
def inputs():
    return two_benchmarks({"sums": synthetic_sweep.nothing, "products": helps_inside})


def by_hand(inputs, pool, benchmark):
    """limr - rand of one pool on one benchmark: the plain difference of two means."""
    frame = inputs.evaluations
    cell = f"useless{pool}-size64".replace(".", "_")
    here = frame[(frame["benchmark"] == benchmark) & (frame["step"] == synthetic_sweep.STEPS[-1])]
    means = [
        (own["n_correct"] / own["n"]).mean()
        for own in (here[here["group"] == f"{arm}-{cell}"] for arm in ("limr", "rand"))
    ]
    return means[0] - means[1]


def test_each_side_is_the_mean_over_benchmarks_of_the_runs_on_that_side(inputs):
    found = {
        side: transfer.difference(inputs, ("limr", "rand"), "useless", INSIDE, side)
        for side in transfer.SIDES
    }
    inside = (by_hand(inputs, 0, "sums") + by_hand(inputs, 0.5, "products")) / 2
    outside = (by_hand(inputs, 0, "products") + by_hand(inputs, 0.5, "sums")) / 2
    assert found["inside"].mean == pytest.approx(inside)
    assert found["outside"].mean == pytest.approx(outside)
    assert found["inside − outside"].mean == pytest.approx(inside - outside)
    assert found["inside"].interval().low > 0  # 12 points on one of two benchmarks
    assert found["outside"].interval().low < 0 < found["outside"].interval().high


def test_a_shared_reference_is_one_run_and_a_gain_everywhere_is_no_gap():
    both = two_benchmarks({"sums": helps_inside, "products": helps_inside})
    gap = transfer.difference(both, ("limr", "rand"), "useless", INSIDE, "inside − outside")
    assert gap.interval().low < 0 < gap.interval().high
    base = transfer.difference(both, ("full", "base"), "useless", INSIDE, "inside − outside")
    alone = transfer.difference(both, ("full", "base"), "useless", INSIDE, "inside")
    # The base answers the same on both sides: it leaves the gap, and stays in the difference.
    assert base.standard_error < alone.standard_error
    frame = both.evaluations[both.evaluations["group"] != "base"]
    moved = both.evaluations[both.evaluations["group"] == "base"].assign(n_correct=4)
    shifted = dataclasses.replace(both, evaluations=pd.concat([frame, moved]))
    again = transfer.difference(shifted, ("full", "base"), "useless", INSIDE, "inside − outside")
    assert again.mean == pytest.approx(base.mean)


def test_benchmarks_that_are_on_one_side_only_are_left_out(inputs):
    everywhere = {"0": ["sums", "products"], "0.5": ["products"]}
    found = transfer.difference(inputs, ("limr", "rand"), "useless", everywhere, "inside")
    assert found.mean == pytest.approx(by_hand(inputs, 0, "sums"))
    with pytest.raises(InputError, match="no benchmark is inside of one pool and outside"):
        transfer.check(inputs, "useless", {"0": ["sums"], "0.5": ["sums"]})


@pytest.mark.parametrize(
    ("axis", "inside", "said"),
    [
        ("pool", INSIDE, "no axis 'pool'"),
        ("useless", {"0": ["sums"]}, "values 0, 0.5"),
        ("useless", {"0": ["sums"], "0.5": ["product"]}, "Did you mean 'products'"),
    ],
)
def test_what_the_study_does_not_have_is_refused(inputs, axis, inside, said):
    with pytest.raises(InputError, match=said):
        transfer.check(inputs, axis, inside)


def test_the_table_shows_each_side_and_says_what_is_missing(inputs):
    options = {"axis": "useless", "inside": INSIDE, "pairs": None, "decodings": None}
    frame = table.build(inputs, options)
    assert list(frame["side"]) == list(transfer.SIDES) * 3
    row = frame.iloc[0]
    assert row["shows"] == "better" and row["low"] > 0 and row["questions"] == 80
    gone = inputs.evaluations[inputs.evaluations["group"] != "rand-useless0-size64"]
    half = dataclasses.replace(inputs, evaluations=gone)
    partly = table.build(half, options)
    missing = partly[partly["shows"] == "not evaluated"]
    assert set(missing["arm"]) | set(missing["against"]) == {"LIMR", "RAND", "FULL"}
    assert missing["difference"].isna().all() and np.isfinite(partly["level"]).all()
    one = inputs.evaluations[inputs.evaluations["seed"] == 1]
    one_pair = {**options, "pairs": [["limr", "rand"]]}
    alone = table.build(dataclasses.replace(inputs, evaluations=one), one_pair)
    assert set(alone["shows"]) == {"one run"} and alone["p"].isna().all()
    assert "same questions" in table.caption(frame)


def test_its_files_are_the_same_bytes_twice(inputs, tmp_path):
    suffixes = {"tsv": "tsv", "markdown": "md", "latex": "tex"}
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        paths = {kind: folder / f"transfer.{suffix}" for kind, suffix in suffixes.items()}
        make.make_table("transfer", inputs, {"axis": "useless", "inside": INSIDE}, paths)
    for suffix in suffixes.values():
        first, second = (tmp_path / f / f"transfer.{suffix}" for f in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "a/transfer.tex").read_text().count(" \\\\\n") == 10  # a row each, names
