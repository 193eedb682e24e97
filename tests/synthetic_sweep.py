"""A made-up study with a sweep, whose true differences between arms are known in every cell."""

import itertools

import numpy as np
import pandas as pd

from limr.analysis.results import Inputs
from limr.core.random_streams import stream

POOL = 256
AXES = {"useless": [0, 0.25, 0.5], "size": [32, 64, 128]}
STEPS = (12, 24, 48)
TRAINED = {"limr": ("useless", "size"), "rand": ("useless", "size"), "full": ("useless",)}


def arms(axes=None):
    """Every arm of every cell; `base` is reached by no axis, `full` not by the size."""
    axes = AXES if axes is None else axes
    found = [{"name": "base", "group": "base", "train": "none", "title": "BASE", "changes": []}]
    for name, reached in TRAINED.items():
        own = [axis for axis in axes if axis in reached]
        for values in itertools.product(*(axes[axis] for axis in own)):
            cell = dict(zip(own, values, strict=True))
            copy = "-".join([name, *(f"{axis}{value}" for axis, value in cell.items())])
            title = ", ".join([name.upper(), *(f"{axis} {value}" for axis, value in cell.items())])
            found.append({"name": copy.replace(".", "_"), "group": copy.replace(".", "_"),
                          "train": "ppo", "title": title, "changes": [], "cell": cell,
                          "of": name})  # fmt: skip
    return found


def record(arm):
    """The record of a subset: chosen, drawn at random, or everything."""
    selector = {"limr": "lim", "rand": "random", "full": "full"}[arm["of"]]
    size = arm["cell"].get("size", POOL) if arm["of"] != "full" else POOL
    return {"n_selected": size, "n_problems": POOL, "n_scored": POOL, "selector": selector,
            "score": selector, "options": {}, "rule": {"size": size},
            "selected_score_range": [0.1, 0.9],
            "trajectories": "full" if selector == "lim" else None}  # fmt: skip


def nothing(arm, step):
    """The true accuracy of every arm alike, which rises with the steps."""
    return 0.4 + 0.1 * (1 - np.exp(-step / 16))


def helps(arm, step):
    """Choosing is worth 12 points where half of the pool is useless, at small sizes, later on."""
    gain = arm["of"] == "limr" and arm["cell"]["useless"] == 0.5 and arm["cell"]["size"] <= 64
    return nothing(arm, step) + (0.12 if gain and step >= 24 else 0.0)


def evaluations(found, truth, seeds, questions, spread, draw):
    frames = []
    shift = stream(draw, "questions").normal(0, 0.15, questions)
    for arm, seed in itertools.product(found, seeds):
        rng = stream(seed, "sweep", str(draw), arm["name"])
        run = spread * rng.standard_normal()
        for step in (0,) if arm["train"] == "none" else STEPS:
            mean = 0.4 if arm["train"] == "none" else truth(arm, step) + run * step / STEPS[-1]
            p = np.clip(mean + shift, 0, 1)
            frames.append(
                pd.DataFrame(
                    {"group": arm["group"], "train": arm["train"], "arm": arm["name"],
                     "seed": seed, "step": step, "benchmark": "sums", "decoding": "sampled",
                     "problem_id": [f"q{i}" for i in range(questions)], "n": 4,
                     "n_correct": rng.binomial(4, p), "response_tokens": 9.0, "truncated": 0.0,
                     "malformed": 0.0}
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def inputs(truth=nothing, *, axes=None, seeds=(1, 2, 3), questions=40, spread=0.01, draw=0):
    """The study's results: `truth(arm, step)` is an arm's true mean accuracy."""
    found = arms(axes)
    trained = [arm for arm in found if arm["train"] != "none"]
    ppo = {"prompts_per_step": 32, "samples_per_prompt": 4, "train_batch_size": 128,
           "epochs_per_batch": 1}  # fmt: skip
    metrics = pd.concat(
        [
            pd.DataFrame(
                {"group": arm["group"], "train": "ppo", "arm": arm["name"], "seed": seed,
                 "step": np.arange(1, STEPS[-1] + 1), "epoch": np.arange(STEPS[-1]) // 8,
                 "tokens": 1000, "mean_reward": np.linspace(0.2, 0.8, STEPS[-1])}
            )
            for arm, seed in itertools.product(trained, seeds)
        ],
        ignore_index=True,
    )  # fmt: skip
    runs = [
        {"arm": arm["name"], "seed": seed, "settings": {"ppo": ppo},
         "durations": {"steps_seconds": 10.0},
         "hardware": {"name": "Some processor", "device": "cpu", "threads": 1}}
        for arm, seed in itertools.product(trained, seeds)
    ]  # fmt: skip
    study = {
        "study": "swept", "seeds": list(seeds), "arms": found, "sweep": axes or AXES,
        "benchmarks": [{"name": "sums", "title": "Sums"}],
        "steps": {"none": [0], "ppo": list(STEPS)},
        "scored_from": {"full": {"arm": trained[-3]["name"], "seed": seeds[0]}},
    }  # fmt: skip
    return Inputs(
        study,
        evaluations(found, truth, seeds, questions, spread, draw),
        metrics,
        subsets={arm["name"]: record(arm) for arm in trained},
        runs=runs,
    )
