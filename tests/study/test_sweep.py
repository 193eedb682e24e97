"""Sweeps: what is copied for each value, what is shared, and what is refused."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.archive import declaration, documents
from limr.core.errors import InputError
from limr.study.jobs import plan
from limr.study.jobs.job import Job
from limr.study.load import load as load_study
from limr.study.study import Study

Json = dict[str, Any]
HARD = {"set": "datasets.arithmetic.ungradable", "to": [0, 0.25]}
SIZE = {"set": ["arms.limr.size", "arms.rand.size"], "to": [8, 9]}
# Whose jobs read the results of all cells.
TOGETHER = {"collect_evaluations", "collect_metrics", "make_tables", "draw_figures", "make_report",
            "backtest_selectors"}  # fmt: skip


@pytest.fixture
def study(tiny: Json) -> Json:
    """One with `limr` and `rand` of a size, and curves of a run for each seed."""
    tiny["arms"]["limr"] = {"train": "ppo", "score": "lim", "size": 5}
    del tiny["arms"]["linear"], tiny["scores"]["linear"]
    return tiny


def load(config: Json, root: Path, **sweep: Json) -> Study:
    given = {**config, "sweep": sweep} if sweep else config
    return load_study(copy.deepcopy(given), "study.yaml", root / "config/benchmarks")


def test_what_depends_on_a_swept_key_is_copied_and_the_rest_is_shared(
    study: Json, root: Path
) -> None:
    found = load(study, root, hard=HARD, size=SIZE)
    cells = [f"hard{hard}-size{size}" for hard in ("0", "0_25") for size in (8, 9)]
    assert list(found.arms) == [
        "base",
        *("full-hard0", "full-hard0_25"),
        *(f"limr-{cell}" for cell in cells),
        *(f"rand-{cell}-{draw}" for cell in cells for draw in (1, 2)),
        *("sft-hard0", "sft-hard0_25"),
    ]
    assert found.arms["rand-hard0_25-size8-2"].score == "random-hard0_25-2"
    assert found.arms["rand-hard0_25-size8-2"].cut == {"size": 8}
    assert found.scores["lim-hard0_25"]["trajectories"] == "full-hard0_25"
    assert found.trajectories["full-hard0_25"]["arm"] == "full-hard0_25"
    assert found.trajectories["full-hard0_25"]["dataset"] == "arithmetic-hard0_25"
    assert found.datasets["arithmetic-hard0_25"]["ungradable"] == 0.25
    overview = found.overview()
    assert overview["sweep"] == {"hard": [0, 0.25], "size": [8, 9]}
    arms = {arm["name"]: arm for arm in overview["arms"]}
    assert "cell" not in arms["base"] and "of" not in arms["base"]
    assert (arms["full-hard0"]["of"], arms["full-hard0"]["cell"]) == ("full", {"hard": 0})
    cell = {"hard": 0.25, "size": 9}
    assert (arms["rand-hard0_25-size9-1"]["of"], arms["rand-hard0_25-size9-1"]["cell"]) == (
        "rand",
        cell,
    )
    assert arms["rand-hard0_25-size9-1"]["title"] == "rand, hard 0.25, size 9"
    assert "sweep" not in load(study, root).overview()


def test_a_size_named_after_an_arm_is_that_of_its_own_cell(study: Json, root: Path) -> None:
    """A reference is followed, whether it is the file's or a value of the sweep."""
    study["arms"]["rand"]["size"] = "limr"
    found = load(study, root, size={"set": "arms.limr.size", "to": [8, 9]})
    assert found.arms["rand-size9-1"].cut == {"size": "limr-size9"}
    study["arms"]["rand"]["size"] = 7
    both = {"set": "arms.rand.size", "to": ["limr", 4]}
    found = load(study, root, hard=HARD, like=both)
    assert found.arms["rand-hard0-likelimr-1"].cut == {"size": "limr-hard0"}
    assert found.arms["rand-hard0-like4-1"].cut == {"size": 4}
    study["arms"]["more"] = {"train": "ppo", "score": "lim", "size": "rand-2"}
    found = load(study, root, size={"set": "arms.rand.size", "to": [3, 4]})
    assert found.arms["more-size4"].cut == {"size": "rand-size4-2"}


def test_an_axis_may_set_keys_of_every_arm_that_ppo_trains(study: Json, root: Path) -> None:
    study["arms"]["limr"]["ppo"] = {"steps": 6}
    found = load(study, root, samples={"set": "arms.*.ppo.samples_per_prompt", "to": [2, 4]})
    trained = [arm for arm in found.arms.values() if arm.train == "ppo"]
    assert {arm.settings["samples_per_prompt"] for arm in trained} == {2, 4}
    assert all(arm.cell["samples"] == arm.settings["samples_per_prompt"] for arm in trained)
    assert found.arms["sft-samples2"].score == "lim-samples2"  # it is scored from a run


def test_an_axis_may_choose_the_score(study: Json, root: Path) -> None:
    """The copies of one arm may depend on different axes."""
    study["trajectories"]["log"] = {"format": "base-samples", "samples": 4}
    study["scores"]["offline"] = {"selector": "lim-curve-free", "trajectories": "log"}
    rate = {"set": "arms.full.ppo.actor_learning_rate", "to": [1.0e-4, 2.0e-5]}
    by = {"set": "arms.limr.score", "to": ["lim", "offline"]}
    found = load(study, root, rate=rate, by=by)
    assert [arm for arm in found.arms if arm.startswith("limr")] == [
        "limr-rate0_0001-bylim",
        "limr-rate2e-05-bylim",
        "limr-byoffline",
    ]


def test_a_continued_arm_with_rounds_is_swept_as_a_whole(root: Path) -> None:
    config = yaml.safe_load((root / "config/online.yaml").read_text())
    found = load(config, root, size={"set": "arms.decayed-rounds.size", "to": [96, 120]})
    arms = [arm for arm in found.arms.values() if arm.of == "decayed-rounds"]
    assert {(arm.round, arm.cut["size"]) for arm in arms} == set(
        itertools.product((1, 2), (96, 120))
    )
    shown = [arm for arm in found.overview()["arms"] if arm.get("of")]
    assert {arm["cell"]["size"] for arm in shown} == {96, 120}


def by_key(study: Study) -> dict[tuple[Any, ...], Job]:
    return {(job.rule, *job.outputs): job for job in plan.wanted(study, plan.jobs(study))}


@pytest.mark.parametrize("axis", ["hard", "size", "rate"])
def test_another_value_changes_no_job_of_the_other_cells(
    axis: str, study: Json, root: Path
) -> None:
    """Neither what it reads nor what it is told; so that Snakemake runs none of them again."""
    axes = {"hard": HARD, "size": SIZE,
            "rate": {"set": "arms.*.ppo.actor_learning_rate", "to": [1.0e-4, 2.0e-4]}}  # fmt: skip
    few = by_key(load(study, root, **axes))
    more = {"hard": 0.5, "size": 7, "rate": 3.0e-4}[axis]
    for place in (0, 2):  # also before the first
        changed = copy.deepcopy(axes)
        changed[axis]["to"].insert(place, more)
        many = by_key(load(study, root, **changed))
        others = {key: job for key, job in few.items() if job.rule not in TOGETHER}
        assert others.items() <= many.items()
        new = [job for key, job in many.items() if key not in few]
        assert {job.rule for job in new} >= {"train_ppo", "evaluate", "select_subset"}
        assert not {job.rule for job in new} & {"make_base", "evaluate_base"}


def test_cells_are_what_a_study_has_that_spells_them_out(study: Json, root: Path) -> None:
    swept = load(study, root, hard={**HARD, "to": [0.25]}, size={**SIZE, "to": [8]})
    own = copy.deepcopy(study)
    own["dataset"] = "arithmetic-hard0_25"
    pool = {**own["datasets"]["arithmetic"], "ungradable": 0.25}
    own["datasets"] = {own["dataset"]: pool}
    for kind in ("trajectories", "scores"):
        for entry in own[kind].values():
            entry["dataset"] = own["dataset"]
        own[kind] = {f"{name}-hard0_25": entry for name, entry in own[kind].items()}
    own["trajectories"]["full-hard0_25"]["arm"] = "full-hard0_25"
    own["scores"]["lim-hard0_25"]["trajectories"] = "full-hard0_25"
    arms = {"base": own["arms"]["base"]}
    for name, cell in (("full", "hard0_25"), ("limr", "hard0_25-size8"),
                       ("rand", "hard0_25-size8"), ("sft", "hard0_25")):  # fmt: skip
        arms[f"{name}-{cell}"] = {
            **own["arms"][name],
            "score": f"{own['arms'][name]['score']}-hard0_25",
        }
    for name in ("limr", "rand"):
        arms[f"{name}-hard0_25-size8"]["size"] = 8
    by_hand = by_key(load({**own, "arms": arms}, root))
    found = by_key(swept)
    assert found.keys() == by_hand.keys()
    for key, job in found.items():
        # These say what a cell is.
        if job.rule not in ("make_tables", "draw_figures", "make_report"):
            assert job == by_hand[key]
            assert json.dumps(job.settings) == json.dumps(by_hand[key].settings)  # in one order


REFUSED = {
    "what.limr.size": "sweep.a.set: 'what.limr.size': no entries are called 'what'. Known: arms,",
    "arm.limr.size": "no entries are called 'arm'. Did you mean 'arms'?",
    "arms.lim.size": "there is no 'lim' under arms. Did you mean 'limr'?",
    "arms.limr": "names no key of an entry",
    "arms.limr.seize": "sweep.a: arms.limr: 'seize' is not a key. Did you mean 'size'?",
    "arms.limr.ppo.step": "sweep.a: arms.limr: 'ppo.step' is not a key. Did you mean 'steps'?",
    "arms.limr.train.x": "'train' is 'ppo': it has no keys",
    "arms.*.sft.batch_size": None,
    "scores.*.seed": "'scores.*.seed': there is no arm with train: ppo",
    "scores.random.draws": None,
    "datasets.arithmetic.problem": "datasets.arithmetic: 'problem' is not a key",
    "datasets.spare.problems": "it reaches no arm: none depends on datasets.spare.problems",
    "arms.limr.evaluate_steps": "sweep.a: arms.limr: 'evaluate_steps' must be a list, found 2",
    "scores.lim.selector": "sweep.a: scores.lim: selectors: there is no 'linaer'. Did you mean",
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_that_cannot_be_set_is_refused_in_words(key: str, study: Json, root: Path) -> None:
    study["datasets"]["spare"] = study["datasets"]["arithmetic"]
    axis = {"set": key, "to": ["linaer"] if key.endswith("selector") else [2, 3]}
    if REFUSED[key] is None:
        load(study, root, a=axis)
        return
    with pytest.raises(InputError) as said:
        load(study, root, a=axis)
    assert str(said.value).startswith("study.yaml: sweep.a")
    assert str(REFUSED[key]) in str(said.value)


def test_axes_that_clash_or_do_nothing_are_refused(study: Json, root: Path) -> None:
    size = {"set": "arms.limr.size", "to": [8, 9]}
    cases: list[tuple[str, dict[str, Json]]] = [
        ("'arms.*.size' is set by sweep.a too", {"a": size, "b": {**size, "set": "arms.*.size"}}),
        ("'sweep.a.to' has 8.0 twice", {"a": {**size, "to": [8, 9, 8.0]}}),
        ("sweep.a: arms.limr: 'size': 0 is less than the minimum of 1", {"a": {**size, "to": [0]}}),
        (
            "sweep.a: arms.limr: 'size' must be a whole number or a text",
            {"a": {**size, "to": [1.5]}},
        ),
        ("sweep.step: 'step' is something else in results", {"step": size}),
        ("sweep.a.to: a value is no finite number", {"a": {**size, "to": [float("nan")]}}),
        ("'sweep.a.to': [] should be non-empty", {"a": {**size, "to": []}}),
        ("more than 2,000 cells", {"a": {**size, "to": list(range(1, 2002))}}),
        ("'sweep.a' lacks the key 'set'", {"a": {"to": [1]}}),
    ]
    for words, axes in cases:
        with pytest.raises(InputError) as said:
            load(study, root, **axes)
        assert str(said.value).startswith("study.yaml: ")
        assert words in str(said.value)
    study["arms"]["limr-a8"] = study["arms"]["limr"]
    with pytest.raises(InputError, match=r"arms\.limr becomes 'limr-a8', and another of arms has"):
        load(study, root, a=size)
    with pytest.raises(InputError, match=r"'sweep': .* is too long: at most 4"):
        load(study, root, **dict.fromkeys("abcde", size))


def test_an_arm_whose_problems_depend_on_its_own_run_is_named(study: Json, root: Path) -> None:
    study["trajectories"]["full"]["arm"] = "limr"
    words = (
        r"depends on itself: trajectories\.full <- arms\.limr <- scores\.lim <- trajectories\.full"
    )
    with pytest.raises(InputError, match=words):
        load(study, root, size=SIZE)


def test_whatever_names_a_swept_arm_means_all_its_cells_or_is_refused(
    study: Json, root: Path
) -> None:
    size = {"set": "arms.limr.size", "to": [8, 9]}
    study["figures"] = {"final-accuracy": {"arms": ["full", "limr"]}, "scores": {"score": "lim"}}
    found = load(study, root, size=size)
    assert found.config["figures"]["final-accuracy"]["arms"] == ["full", "limr-size8", "limr-size9"]
    with pytest.raises(
        InputError, match=r"figures\.scores\.score: 'lim' is swept.*: lim-hard0, lim"
    ):
        load(study, root, size=size, hard=HARD)
    study["figures"] = {}
    with pytest.raises(InputError, match=r"declared\.arm: 'limr' is swept, .*: limr-size8, limr-s"):
        load({**study, "declared": {"arm": "limr"}}, root, size=size)
    load({**study, "declared": {"arm": "limr-size8", "against": "full"}}, root, size=size)

    left = load({**study, "leave_out": ["limr"]}, root, size=SIZE)
    assert {arm.of for arm in left.arms.values()} == {"", "rand"}
    left = load({**study, "leave_out": ["limr-size8"]}, root, size=SIZE)
    assert [arm for arm in left.arms if arm.startswith("limr")] == ["limr-size9"]
    with pytest.raises(InputError, match=r"no arm 'limr-size7'\. Did you mean"):
        load({**study, "leave_out": ["limr-size7"]}, root, size=SIZE)


def test_an_archive_has_the_sweep_as_it_was_written(study: Json, root: Path) -> None:
    """And reading it again gives the same study, the same digest, the same jobs."""
    study["archive"] = {"own_files": ["full"]}
    found = load({**study, "leave_out": ["sft"]}, root, hard=HARD, size=SIZE)
    text = documents.study_yaml(found)
    kept = yaml.safe_load(text)
    assert kept["sweep"]["hard"] == HARD
    assert list(kept["arms"]) == list(study["arms"])
    again = load(kept, root)
    assert documents.study_yaml(again) == text
    assert declaration.digest(again) == declaration.digest(found)
    assert by_key(again) == by_key(found)
    assert found.config["archive"]["own_files"] == ["full-hard0", "full-hard0_25"]


def test_a_strangers_sweep_cannot_ask_for_more_than_a_study_may(study: Json, root: Path) -> None:
    found = load(study, root, much={"set": "datasets.arithmetic.problems", "to": [8, 10**9]})
    assert not list(documents.too_much_asked(found.written))
    assert "much1000000000.problems" in next(documents.too_much_asked(found.config))


def test_a_cell_of_more_problems_than_its_pool_has_is_named_and_can_be_left_out(
    study: Json, root: Path
) -> None:
    axes = {
        "pool": {"set": "datasets.arithmetic.problems", "to": [12, 24]},
        "size": {**SIZE, "to": [8, 16]},
    }
    words = (
        r"arm 'limr-pool12-size16': size 16: 'arithmetic-pool12' has only 12 .*out: \[limr-pool12"
    )
    with pytest.raises(InputError, match=words):
        load(study, root, **axes)
    gone = ["limr-pool12-size16", "rand-pool12-size16"]
    found = load({**study, "leave_out": gone}, root, **axes)
    assert [name for name, arm in found.arms.items() if arm.of == "limr"] == [
        "limr-pool12-size8",
        "limr-pool24-size8",
        "limr-pool24-size16",
    ]
