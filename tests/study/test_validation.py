"""Validation: defaults, plug-in options, and messages that say how to mend."""

from __future__ import annotations

import copy
import subprocess
import sys
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
        ("figures/accuracy", 3, "'figures.accuracy' must be a mapping, found 3."),
        ("seeds", [1, True], "'seeds.1' must be a whole number, found True."),
        ("ppo/steps", "12", "'ppo.steps' must be a whole number, found '12'. YAML takes it for"),
        ("ppo/steps", 12.0, "'ppo.steps' must be a whole number, found 12.0."),
        ("ppo/clip", True, "'ppo.clip' must be a number, found True."),
        ("ppo/top_p", 1.5, "'ppo.top_p': 1.5 is greater than the maximum of 1."),
        ("ppo/adam_betas", [0.9], "'ppo.adam_betas': [0.9] is too short: at least 2."),
        ("ppo/adam_betas", [0.9, 2], "'ppo.adam_betas.1': 2 is greater than or equal to the"),
        ("grader", {"max_boxes": "4"}, "'grader.max_boxes' must be a whole number or null, found"),
        ("arms/rand/size", 1.5, "'arms.rand.size' must be a whole number or a text, found 1.5."),
        ("arms/rand/size", 0, "'arms.rand.size': 0 is less than the minimum of 1."),
        ("scores/lim/selector", 3, "'scores.lim.selector' must be a text, found 3."),
        (
            "datasets/My set",
            {"source": "arithmetic", "problems": 3},
            "'datasets': 'My set' may hold only lower-case letters",
        ),
        (
            "datasets",
            {2024: {"source": "arithmetic", "problems": 3}},
            "'datasets': 2024 must be a text: quote it.",
        ),
        ("engine", 3, "'engine' must be a mapping, found 3."),
        ("base/warmup/steps", -1, "'base.warmup.steps': -1 is less than the minimum of 1."),
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


def test_an_unknown_key_is_said_before_a_missing_one_and_others_are_counted(
    demo: dict[str, Any], root: Path
) -> None:
    demo["scores"]["lim"]["selektor"] = demo["scores"]["lim"].pop("selector")
    demo["ppo"]["steps"] = "many"
    expected = "study.yaml: 'scores.lim.selektor' is not a key. Did you mean 'selector'?"
    with pytest.raises(InputError) as error:
        load(demo, root)
    assert str(error.value) == f"{expected} (2 more after this one)"


def test_values_are_kept_as_they_are_and_keys_put_in_order(
    demo: dict[str, Any], root: Path
) -> None:
    demo["ppo"] = {"clip": 1, "steps": demo["ppo"]["steps"], **demo["ppo"]}
    demo["tables"] = {"results": None, "agreement": {"size": None}}
    found = load(demo, root).config
    assert repr(found["ppo"]["clip"]) == "1"  # a number, and still a whole one
    assert repr(found["ppo"]["gamma"]) == "1.0"  # as the default is written
    assert list(found["ppo"]) == list(schema.Ppo.model_fields)
    assert list(found["tables"]) == ["results", "agreement"]  # the user's order
    assert found["tables"] == {"results": {}, "agreement": {"scores": None, "size": None}}
    assert "threshold" not in found["arms"]["rand"]  # no default: absent, not null
    assert type(found) is type(found["ppo"]) is type(found["scores"]["lim"]) is dict


@pytest.mark.slow
def test_a_study_is_read_without_what_only_drawing_needs(root: Path) -> None:
    code = (
        "import sys, yaml; from pathlib import Path; from limr.study.load import load\n"
        f"root = Path({str(root)!r}); path = root / 'config/config.yaml'\n"
        "load(yaml.safe_load(path.read_text()), 'study', root / 'config/benchmarks')\n"
        "print([name for name in ('matplotlib', 'seaborn', 'torch') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.slow
def test_help_is_said_without_loading_tables_or_validation() -> None:
    code = (
        "import sys; from limr.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('numpy', 'pyarrow', 'pandas', 'pydantic') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


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
