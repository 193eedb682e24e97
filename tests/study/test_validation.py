"""Validation: defaults, plug-in options, and messages that say how to mend."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.study import reference, schema
from limr.study.load import load as load_study
from limr.study.study import Study


def load(config: dict[str, Any], root: Path) -> Study:
    return load_study(config, "study.yaml", root / "config/benchmarks")


@pytest.fixture
def demo(root: Path) -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load((root / "config/demo.yaml").read_text()))


@pytest.mark.parametrize("name", ["demo", "published", "config"])
def test_shipped_studies_are_valid(name: str, root: Path) -> None:
    config = yaml.safe_load((root / f"config/{name}.yaml").read_text())
    found = load(config, root)
    assert found.name == config["study"]


def test_defaults_are_the_papers(root: Path) -> None:
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    spelled_out = config.pop("ppo")
    defaults = load(config, root).config["ppo"]
    assert {key: defaults[key] for key in spelled_out} == spelled_out


def test_draws_are_spelled_out(demo: dict[str, Any], root: Path) -> None:
    found = load(demo, root)
    draws = [arm for arm in found.arms.values() if arm.group == "rand"]
    assert [(arm.name, arm.score) for arm in draws] == [
        ("rand-1", "random-1"),
        ("rand-2", "random-2"),
    ]


def test_plugin_options_get_their_defaults(demo: dict[str, Any], root: Path) -> None:
    demo["scores"]["lim"].pop("missing", None)
    assert load(demo, root).scores["lim"]["options"]["missing"] == "backfill-one"


def put(config: dict[str, Any], path: str, value: object) -> None:
    *parents, key = path.split("/")
    node = config
    for parent in parents:
        node = node[parent]
    node[key] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sedes", [1], "'sedes' is not a key. Did you mean 'seeds'?"),
        ("ppo/stesp", 3, "'ppo.stesp' is not a key. Did you mean 'steps'?"),
        ("ppo/steps", "many", "'ppo.steps' must be a whole number, found 'many'."),
        (
            "ppo/actor_learning_rate",
            "5e-7",
            "YAML takes it for a text: write a number with a point",
        ),
        ("ppo/clip", -1, "'ppo.clip'"),
        ("seeds", [1, 2, 1], "'seeds' has 1 twice"),
        ("seeds", [], "'seeds'"),
        ("study", "My Study", "may hold only lower-case letters"),
        ("scores/lim/selector", "lmi", "selectors: there is no 'lmi'. Did you mean 'lim'?"),
        ("scores/lim/missing", "sometimes", "'scores.lim.missing' is 'sometimes'"),
        ("scores/lim/trajectories", "fool", "trajectories 'fool' is not defined"),
        ("scores/linear/draws", 3, "selector 'linear' is not random"),
        ("arms/limr/score", "lmi", "score 'lmi' is not defined under scores. Did you mean 'lim'?"),
        ("arms/limr/train", "pppo", "'arms.limr.train' is 'pppo'. Did you mean 'ppo'?"),
        ("arms/limr/size", 3, "give 'threshold' or 'size', not both"),
        ("arms/rand/size", "limmr", "size: no arm 'limmr'. Did you mean 'limr'?"),
        ("arms/rand-1", {"train": "none"}, "its draw 'rand-1' has the name of another arm"),
        ("arms/full/score", None, "'arms.full.score' must be a text"),
        ("trajectories/full/arm", "ful", "is not an arm with train: ppo. Did you mean 'full'?"),
        ("trajectories/full/seed", 9, "seed 9 is not in seeds [1, 2, 3]"),
        ("trajectories/full/path", "x", "give one of 'arm' (with 'seed'), 'path' or 'file'"),
        ("trajectories/full/arm", "limr", "its problems depend on its own run"),
        ("evaluate/ppo_steps", [4, 4], "'evaluate.ppo_steps' has 4 twice"),
        ("evaluate/ppo_steps", [4, 999], "step 999 lies beyond the run's end, ppo.steps = "),
        ("evaluate/ppo_steps", [], "'evaluate.ppo_steps' is empty, but there are arms that train"),
        ("evaluate/benchmarks/aime42", {}, "there is no 'aime42'"),
        ("datasets/arithmetic/source", "arithmetics", "Did you mean 'arithmetic'?"),
        (
            "dataset",
            "arithmetics",
            "'arithmetics' is not under datasets. Did you mean 'arithmetic'?",
        ),
        ("engine/train", "embeded", "there is no 'embeded'. Did you mean 'embedded'?"),
        ("engines/embedded/devise", "cpu", "'engines.embedded.devise' is not a key. Did you mean"),
        ("base/hiden", 3, "'base.hiden' is not a key. Did you mean 'hidden'?"),
        ("ppo/train_batch_size", 100, "ppo.train_batch_size 100 does not divide"),
        (
            "contamination",
            {"overlapping": {"words": 9}},
            "contamination.overlapping.words: 9 is not one of contamination.words, [8, 13]",
        ),
        ("contamination", {"thresholds": [1.5]}, "'contamination.thresholds"),
        ("figures/acuracy", {}, "figures: there is no 'acuracy'. Did you mean 'accuracy'?"),
    ],
)
def test_what_is_wrong_is_named(
    path: str, value: object, message: str, demo: dict[str, Any], root: Path
) -> None:
    put(demo, path, value)
    with pytest.raises(InputError) as error:
        load(demo, root)
    assert str(error.value).startswith("study.yaml: ")
    assert message in str(error.value)


def test_a_missing_key_is_named(demo: dict[str, Any], root: Path) -> None:
    del demo["scores"]["lim"]["selector"]
    with pytest.raises(InputError, match=r"'scores.lim' lacks the key 'selector'"):
        load(demo, root)


def test_finetuning_needs_solutions(demo: dict[str, Any], root: Path) -> None:
    demo["datasets"]["math"] = {"source": "math-full", "file": "limr_math_full"}
    demo["scores"]["lim"]["dataset"] = "math"
    with pytest.raises(InputError, match="has no worked solutions to fine-tune on"):
        load(demo, root)


def test_the_given_configuration_is_not_changed(demo: dict[str, Any], root: Path) -> None:
    before = copy.deepcopy(demo)
    load(demo, root)
    assert demo == before


def test_every_key_is_described() -> None:
    kinds = ("datasets", "selectors", "importers", "engines", "rewards", "tables", "figures")
    plug_ins = [plugins.load(kind, name) for kind in kinds for name in plugins.names(kind)]
    checked = [schema.Study, schema.Benchmark, *map(validation.options, plug_ins)]
    checked += [module.Base for module in plug_ins if hasattr(module, "Base")]
    rows = [row for keys in checked for row in reference.rows(keys)]
    assert len(rows) > 300
    for row in rows:
        assert not row.endswith("|  |"), row


def test_free_options_are_options() -> None:
    for name in plugins.names("engines"):
        module = plugins.load("engines", name)
        assert set(getattr(module, "NOT_IN_DIGEST", ())) <= set(module.Options.model_fields), name
