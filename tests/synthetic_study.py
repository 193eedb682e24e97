"""A made-up study with realistic shapes, for the tests of tables, figures and the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from limr.analysis import paper
from limr.analysis.results import Diagnosis, Inputs
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import OPINIONS, TRAJECTORIES, Problem
from limr.problems import overlap
from limr.scores import backtest, diagnostics, scoring
from limr.subsets import cut as selection
from limr.trajectories import curves as tr

ROOT = Path(__file__).parents[1]
GROUPS = {
    # group: (title, train, draws, start, accuracy at the end, spread between runs)
    "base": ("Base", "none", 1, 0.47, 0.47, 0.0),
    "full": ("FULL", "ppo", 1, 0.47, 0.58, 0.01),
    "limr": ("LIMR", "ppo", 1, 0.47, 0.53, 0.015),
    "rand": ("RAND", "ppo", 2, 0.47, 0.34, 0.06),
    "linear": ("LINEAR", "ppo", 1, 0.47, 0.48, 0.02),
    "sft": ("SFT", "sft", 1, 0.47, 0.44, 0.02),
}
BENCHMARKS = {"easy": ("Arithmetic, easy", 0.25, 120), "medium": ("Arithmetic, medium", 0.0, 120),
              "hard": ("Arithmetic, hard", -0.25, 90)}  # fmt: skip
SCORES = {"lim": "lim", "linear": "linear", "random-1": "random", "random-2": "random",
          "all": "full", "variance": "variance", "learnability": "learnability",
          "curve-free": "lim-curve-free"}  # fmt: skip
STEPS = (12, 24, 36, 48)
SEEDS = (1, 2)


def arms(groups=GROUPS):
    return [
        {"name": group if draws == 1 else f"{group}-{d}", "group": group, "train": train,
         "title": title, "changes": []}
        for group, (title, train, draws, *_) in groups.items()
        for d in range(1, draws + 1)
    ]  # fmt: skip


def study(groups=GROUPS):
    return {
        "study": "made-up",
        "seeds": list(SEEDS),
        "arms": arms(groups),
        "benchmarks": [{"name": name, "title": b[0]} for name, b in BENCHMARKS.items()],
        "steps": {"none": [0], "ppo": list(STEPS), "sft": list(STEPS)},
        "contamination": CONTAMINATION,
        "scored_from": {"full": {"arm": "full", "seed": 1}},
        "scores": {
            name: {"selector": selector, "trajectories": "full"}
            for name, selector in SCORES.items()
        },
    }


def evaluations(groups=GROUPS, seeds=SEEDS):
    frames = []
    for arm in arms(groups):
        _, train, _, start, end, spread = groups[arm["group"]]
        for seed in seeds:
            rng = stream(seed, "synthetic", arm["name"])
            end_here = end + spread * rng.standard_normal()
            for step in (0,) if train == "none" else STEPS:
                share = 1 - np.exp(-step / 16)
                for name, (_, shift, n) in BENCHMARKS.items():
                    ability = stream(0, "questions", name).normal(0, 0.2, n)
                    p = np.clip(start + (end_here - start) * share + shift + ability, 0.02, 0.98)
                    for decoding, samples in (("sampled", 4), ("greedy", 1)):
                        frames.append(
                            pd.DataFrame(
                                {
                                    **{key: arm[key] for key in ("group", "train")},
                                    "arm": arm["name"],
                                    "seed": seed,
                                    "step": step,
                                    "benchmark": name,
                                    "decoding": decoding,
                                    "problem_id": [f"{name}-{i}" for i in range(n)],
                                    "n": samples,
                                    "n_correct": rng.binomial(samples, p),
                                    "response_tokens": 9.0,
                                    "truncated": 0.0,
                                    "malformed": 0.1,
                                }
                            )
                        )
    return pd.concat(frames, ignore_index=True)


def drawn(step):
    """What an arm with a sampler counts: as much as the others draw, a third without a signal."""
    return {"rollouts": 384, "without_signal": 128, "tries": 1, "most_drawn": 1 + step // 8,
            "problems_drawn": np.minimum(48 * step, 300)}  # fmt: skip


def metrics(groups=GROUPS, steps=48):
    frames = []
    for arm in arms(groups):
        train = groups[arm["group"]][1]
        for seed in SEEDS if train != "none" else ():
            rng = stream(seed, "metrics", arm["name"])
            step = np.arange(1, steps + 1)
            rise = {"full": 0.55, "limr": 1.0, "rand": 1.2, "linear": 0.9, "sft": 0}[arm["group"]]
            reward = -0.2 + rise * (1 - np.exp(-step / 20)) + rng.normal(0, 0.03, steps)
            frames.append(
                pd.DataFrame(
                    {
                        **{key: arm[key] for key in ("group", "train")},
                        "arm": arm["name"],
                        "seed": seed,
                        "step": step,
                        "epoch": step // 8,
                        "tokens": 9000,
                        "mean_reward": reward if train == "ppo" else np.nan,
                        "kl": step / 100 if train == "ppo" else np.nan,
                        "response_tokens": 9 + rise * step / 48 + rng.normal(0, 0.1, steps)
                        if train == "ppo"
                        else np.nan,
                        **(drawn(step) if arm["group"] == "linear" else {}),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def problems(n=384):
    return [Problem(f"arithmetic-{i:04d}", f"{i} + 1 = ?", "1", "arithmetic", 1) for i in range(n)]


def trajectories(n=384, epochs=6):
    rng = stream(5, "trajectories")
    kind = rng.choice(["hopeless", "mastered", "rising", "flat"], n, p=[0.18, 0.1, 0.37, 0.35])
    k = np.arange(epochs) / (epochs - 1)
    rows = []
    for i in range(n):
        low, high = np.sort(rng.random(2))
        curve = {
            "hopeless": 0.01 + 0 * k,
            "mastered": 0.97 + 0 * k,
            "rising": 0.3 * low + (0.4 + 0.6 * high - 0.3 * low) * k,
            "flat": 0.3 + 0.7 * low + 0 * k,
        }
        p = curve[kind[i]]
        rows += [
            (f"arithmetic-{i:04d}", e, 8, int(rng.binomial(8, p[e])), 0.0) for e in range(epochs)
        ]
    columns = (list(column) for column in zip(*rows, strict=True))
    return pa.table([pa.array(column) for column in columns], names=TRAJECTORIES.names).cast(
        TRAJECTORIES
    )


def subset(scores, rule, curves, arm, **origin):
    name = origin["score"]
    rows, record = selection.select(
        scores[name], problems(), rule, stream(0, "ties", arm), trajectories=curves, origin=origin
    )
    return {**record, "sha256": "0" * 64, "problem_ids": [row["problem_id"] for row in rows]}


def scored(selector, curves, name):
    candidates = scoring.candidates(problems())
    samples = tr.samples(curves, candidates.problem_ids)
    found = scoring.score(selector, candidates, samples, {}, seed=0, name=name)
    return scoring.score_table(found, candidates).to_pandas()


def offline(curves, n=128):
    """Pass rates of another model, of two problems in three: related to the curves, not equal."""
    ids = [p.problem_id for p in problems()]
    rate = tr.samples(curves, ids).pass_rate
    rng = stream(5, "offline")
    rate = np.clip(rate + rng.normal(0, 0.12, len(rate)), 0, 1)
    rows = [(key, 0, n, int(rng.binomial(n, p)), 0.0) for key, p in zip(ids, rate, strict=True)]
    columns = list(zip(*[row for i, row in enumerate(rows) if i % 3], strict=True))
    return pa.table(columns, schema=TRAJECTORIES)


def diagnosis(selector, curves, subset, draws=100):
    candidates = scoring.candidates(problems())
    samples = tr.samples(curves, candidates.problem_ids)
    of = diagnostics.subject(candidates, samples, selector, {}, seed=0, name=selector)
    cut = diagnostics.cut(of, subset, stream(0, "diagnose", selector, "ties"))
    rng = stream(0, "diagnose", selector, "draws")
    found = diagnostics.problem_table(of, cut, draws, 0.95, rng).to_pandas()
    return Diagnosis(found, diagnostics.epoch_table(of, cut, 0.95).to_pandas())


def held_out():
    """The questions of the benchmarks, of levels 1 to 3; those of the hard one have none."""
    return {
        name: [
            Problem(f"{name}-{i}", f"{name} {i}?", "1", name, None if name == "hard" else 1 + i % 3)
            for i in range(n)
        ]
        for name, (_, _, n) in BENCHMARKS.items()
    }


def runs(groups=GROUPS):
    ppo = {"prompts_per_step": 48, "samples_per_prompt": 8, "train_batch_size": 96,
           "epochs_per_batch": 1}  # fmt: skip
    return [
        {
            "arm": arm["name"],
            "seed": seed,
            "settings": {"ppo": ppo} if arm["train"] == "ppo" else {"sft": {"batch_size": 48}},
            "durations": {"steps_seconds": 60.0 * seed},
            "hardware": {"name": "Some processor", "device": "cpu", "threads": 2},
        }
        for arm in arms(groups)
        for seed in (SEEDS if arm["train"] != "none" else ())
    ]


def opinions():
    """90 responses on which two rules agree, 7 and 3 to one problem on which they do not."""
    agreed = {"verdict": "correct", "opinion": "correct", "n": 10}
    rows = [
        {"benchmark": name, "problem_id": f"{name}-{number}", **agreed}
        for name in BENCHMARKS
        for number in range(9)
    ]
    doubted = {"benchmark": "easy", "problem_id": "easy-9", "gold": "1/2"}
    rows += [
        {**doubted, "verdict": "correct", "opinion": "malformed", "format": "", "answer": "0.5",
         "opinion_reason": "garbled", "n": 7},
        {**doubted, "verdict": "malformed", "opinion": "correct", "format": "repeated",
         "answer": "\n<b>" * 99, "opinion_answer": "½", "opinion_reason": "", "n": 3},
    ]  # fmt: skip
    full = [
        dict.fromkeys(OPINIONS.names) | {"rule": "paper, grader version 2"} | row for row in rows
    ]
    return pa.Table.from_pylist(full, schema=OPINIONS).to_pandas()


CONTAMINATION = {"words": [2, 8], "thresholds": [0.5, 0.8],
                 "overlapping": {"words": 2, "share": 0.5}, "longest": 1000}  # fmt: skip


def overlaps(held_out, subsets):
    """What the questions share with the problems; three of the easy ones are problems too."""
    copied = [Problem(f"copy-{i}", f"easy  {i}?", "1", "arithmetic") for i in range(3)]
    sets = {"arithmetic": [*problems(), *copied]}
    scopes = [overlap.Scope("problem set", "arithmetic", "arithmetic")]
    scopes += [
        overlap.Scope("arm", arm, "arithmetic", record["problem_ids"])
        for arm, record in subsets.items()
    ]
    frames = [
        overlap.measure(questions, sets, scopes, CONTAMINATION["words"], 1000)[0]
        .to_pandas()
        .assign(benchmark=name)
        for name, questions in held_out.items()
    ]
    return {"arithmetic": sets["arithmetic"]}, pd.concat(frames, ignore_index=True)


def audit(scores):
    """An audit that finds every seventh gold answer dead, and every eleventh read in part."""
    ids = scores["problem_id"]
    found = [(one, "paper-dead") for one in ids[::7]] + [(one, "paper-lossy") for one in ids[::11]]
    return pd.DataFrame(
        [(one, "1", finding, "") for one, finding in found],
        columns=["problem_id", "answer", "finding", "detail"],
    )


def tested(sources):
    """A backtest of all selectors on every learning curves, those of one epoch included."""
    tables = []
    for name, table in sources.items():
        candidates, plan = scoring.candidates(problems()), backtest.Plan(draws=30)
        try:
            samples = tr.samples(table, candidates.problem_ids)
            found = backtest.backtest(name, candidates, samples, backtest.every(), plan)
        except InputError as error:
            found = backtest.refused(name, str(error), plan)
        tables.append(found)
    return pa.concat_tables(tables).to_pandas()


def inputs(curves=None):
    curves = trajectories() if curves is None else curves
    scores = {name: scored(selector, curves, name) for name, selector in SCORES.items()}
    rules = {
        "full": ("all", {}),
        "limr": ("lim", {"threshold": 0.8}),
        "rand-1": ("random-1", {"size": 96}),
        "rand-2": ("random-2", {"size": 96}),
        "linear": ("linear", {"threshold": 0.7}),
        "sft": ("lim", {"threshold": 0.8}),
    }
    subsets = {
        arm: subset(scores, rule, curves, arm, score=score, selector=SCORES[score],
                    options={}, trajectories="full")
        for arm, (score, rule) in rules.items()
        if scores[score]["score"].notna().any()  # from one epoch there is no linear score
    }  # fmt: skip
    first = {"lim": subsets["limr"], "linear": subsets.get("linear")}
    diagnosed = {
        name: diagnosis(selector, curves, first.get(name))
        for name, selector in SCORES.items()
        if selector not in ("random", "full")
    }
    sources = {"full": curves, "offline": offline(curves)}
    found = Inputs(study(), evaluations(), metrics(), sources, scores, subsets, diagnosed)
    trained_on, overlapping = overlaps(held_out(), subsets)
    return replace(
        found,
        opinions=opinions(),
        overlaps=overlapping,
        problems={**trained_on, **held_out()},
        runs=runs(),
        backtest=tested(sources),
        paper=paper.read(ROOT / "config/paper.yaml"),
        findings={"arithmetic": audit(scores["lim"])},
    )
