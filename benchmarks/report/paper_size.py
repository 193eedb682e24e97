"""A made-up study of the paper's size: 8,523 problems, 21 epochs, 6 arms, 3 seeds, 1.4 M rollouts.

Texts are drawn from a few thousand made-up sentences, so that they compress about as real ones do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from limr.analysis.results import Inputs
from limr.core.random_streams import stream
from limr.core.tables import ROLLOUTS, TRAJECTORIES, VERDICTS, Problem
from limr.scores import scoring
from limr.subsets import cut
from limr.trajectories import curves as tr

PROBLEMS, EPOCHS, SAMPLES, SEEDS = 8523, 21, 8, (1, 2, 3)
STEPS = (24, 48, 72, 96, 120, 144, 168)
BENCHMARKS = {
    "aime24": ("AIME24", 30, 4),
    "math500": ("MATH500", 500, 1),
    "amc23": ("AMC23", 40, 4),
}
ARMS = {"base": ("none", 0.40), "full": ("ppo", 0.57), "limr": ("ppo", 0.58), "rand": ("ppo", 0.50),
        "linear": ("ppo", 0.55), "sft": ("sft", 0.46)}  # fmt: skip

Json = dict[str, Any]


def sentences(n: int = 4000) -> np.ndarray[Any, Any]:
    """Return made-up sentences with formulas, some 90 characters each."""
    rng = stream(1, "benchmark", "sentences")
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = ["".join(rng.choice(letters[:22], rng.integers(2, 9))) for _ in range(900)]
    made = []
    for _ in range(n):
        picked = " ".join(rng.choice(words, rng.integers(7, 14)))
        a, b, c = rng.integers(2, 999, 3)
        made.append(f"{picked} $\\frac{{{a}}}{{{b}}}x^{c % 9} + {c}$. ")
    return np.array(made, object)


def texts(pool: np.ndarray[Any, Any], n: int, each: int, rng: np.random.Generator) -> list[str]:
    """Return n texts of `each` sentences."""
    picks = rng.integers(len(pool), size=(n, each))
    return ["".join(row) for row in pool[picks]]


def problems() -> list[Problem]:
    """Return the training problems: two to three sentences and an answer."""
    rng = stream(1, "benchmark", "problems")
    prompts = texts(sentences(), PROBLEMS, 3, rng)
    return [
        Problem(f"math-full-{i + 1}", prompt, str(int(rng.integers(999))), "math", 3 + i % 3)
        for i, prompt in enumerate(prompts)
    ]


def write_rollouts(path: Path, ids: list[str]) -> pa.Table:
    """Write the rollouts of FULL, epoch by epoch, and return their learning curves."""
    rng, pool = stream(1, "benchmark", "rollouts"), sentences()
    ability, gain = rng.normal(-0.6, 2.2, len(ids)), rng.gamma(2.0, 0.9, len(ids))
    counts = np.zeros((len(ids), EPOCHS), np.int32)
    named = np.array(ids, object)
    with pq.ParquetWriter(path, ROLLOUTS, compression="zstd") as writer:
        for epoch in range(EPOCHS):
            p = 1 / (1 + np.exp(-(ability + gain * (1 - np.exp(-epoch / 7)))))
            right = rng.random((len(ids), SAMPLES)) < p[:, np.newaxis]
            counts[:, epoch] = right.sum(axis=1)
            order = rng.permutation(len(ids))
            for block in np.array_split(order, 8):
                writer.write_table(_block(named[block], right[block], epoch, pool, rng))
    place, epoch_of = np.divmod(np.arange(counts.size), EPOCHS)
    columns = [named[place], epoch_of, np.full(counts.size, SAMPLES), counts.ravel(),
               np.zeros(counts.size)]  # fmt: skip
    arrays = [pa.array(c, f.type) for c, f in zip(columns, TRAJECTORIES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=TRAJECTORIES)


def _block(ids: Any, right: Any, epoch: int, pool: Any, rng: np.random.Generator) -> pa.Table:
    n = right.size
    codes = np.where(right.ravel(), 0, np.where(rng.random(n) < 0.05, 2, 1))
    columns: Json = {
        "problem_id": np.repeat(ids, SAMPLES),
        "step": np.full(n, 8 * epoch + 1),
        "epoch": np.full(n, epoch),
        "sample": np.tile(np.arange(SAMPLES), len(ids)),
        "reward": np.where(codes == 0, 1.0, -0.5),
        "verdict": pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(VERDICTS)),
        "response_tokens": rng.integers(200, 3072, n),
        "truncated": np.zeros(n, bool),
        "response": texts(pool, n, 9, rng),
    }
    arrays = [
        columns[f.name] if f.name == "verdict" else pa.array(columns[f.name], f.type)
        for f in ROLLOUTS
    ]
    return pa.Table.from_arrays(arrays, schema=ROLLOUTS)


def evaluations() -> pd.DataFrame:
    """Return all evaluations: every arm, seed, step and benchmark."""
    frames = []
    for arm, (train, end) in ARMS.items():
        for seed in SEEDS:
            for step in (0,) if train == "none" else STEPS:
                rng = stream(seed, "benchmark", "evaluations", arm, step)
                for name, (_, n, samples) in BENCHMARKS.items():
                    p = np.clip(rng.normal(end, 0.3, n), 0.02, 0.98)
                    frames.append(
                        pd.DataFrame(
                            {
                                "arm": arm, "group": arm, "train": train, "seed": seed,
                                "step": step, "benchmark": name, "decoding": "sampled",
                                "problem_id": [f"{name}-{i}" for i in range(n)], "n": samples,
                                "n_correct": rng.binomial(samples, p), "response_tokens": 900.0,
                                "truncated": 0.0, "malformed": 0.0,
                            }
                        )
                    )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def inputs(folder: Path) -> Inputs:
    """Return the study; its rollouts are written to `folder`."""
    found = problems()
    curves = write_rollouts(folder / "rollouts.parquet", [p.problem_id for p in found])
    candidates = scoring.candidates(found)
    samples = tr.samples(curves, candidates.problem_ids)
    scores, subsets = {}, {}
    for name in ("lim", "linear", "random", "full"):
        made = scoring.score(name, candidates, samples, {}, seed=0, name=name)
        scores[name] = scoring.score_table(made, candidates).to_pandas()
    for arm, score in {"full": "full", "limr": "lim", "rand": "random", "linear": "linear",
                       "sft": "lim"}.items():  # fmt: skip
        rule = {} if score == "full" else {"size": 1389}
        origin = {"score": score, "selector": score, "options": {}, "trajectories": "full"}
        rows, record = cut.select(
            scores[score], found, rule, stream(0, "ties", arm), trajectories=curves, origin=origin
        )
        ids = [row["problem_id"] for row in rows]
        subsets[arm] = {**record, "sha256": "0" * 64, "problem_ids": ids}
    study = {
        "study": "paper-size",
        "seeds": list(SEEDS),
        "arms": [
            {"name": a, "group": a, "title": a.upper(), "train": train}
            for a, (train, _) in ARMS.items()
        ],
        "benchmarks": [{"name": n, "title": b[0]} for n, b in BENCHMARKS.items()],
        "steps": {"none": [0], "ppo": list(STEPS), "sft": list(STEPS)},
        "scores": {name: {"selector": name, "trajectories": "full"} for name in scores},
        "scored_from": {"full": {"arm": "full", "seed": 1}},
    }
    return Inputs(
        study,
        evaluations(),
        None,
        {"full": curves},
        scores,
        subsets,
        problems={"math-full": found},
    )
