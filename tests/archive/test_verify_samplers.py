"""`limr verify` draws every sampler's choices again from the recorded verdicts."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from limr.archive import verify_rollouts
from limr.core import files, plugins, tables, validation
from limr.train import drawing, runs
from limr.train.embedded.order import Order

SAMPLES, STEPS, SIZE = 3, 6, 4
POOL = [tables.Problem(f"p{n}", "1+1", "2", "test", 1 + n % 5) for n in range(14)]


def archived(folder, monkeypatch, name, change=None, says=None):
    """A stand-in for an unpacked archive of one run that a policy of chance made."""
    given = {"difficulty": "level"} if name == "adarft" else {}
    keys = validation.options(plugins.load("samplers", name))
    sampler = {"name": name, **validation.complete(given, keys, name)}
    order = Order(len(POOL), SIZE, True, 1, "arm")
    hard = drawing.difficulties(sampler, POOL, None, "")
    run, parts, counts = drawing.Drawing(sampler, order, hard), [], []
    for step in range(1, STEPS + 1):
        rows = []

        def sample(chosen, rows=rows, step=step):
            right = [(7 * place + step) % (SAMPLES + 1) for place in chosen]
            for place, count in zip(chosen, right, strict=True):
                for n in range(SAMPLES):
                    rows.append(
                        {
                            "problem_id": POOL[place].problem_id,
                            "sample": n,
                            "verdict": "correct" if n < count else "incorrect",
                        }
                    )
            return right, SAMPLES

        run.draw(step, sample)
        counts.append({"step": step, "epoch": order.epoch(step), **run.counted(step)})
        names = [name for name in tables.ROLLOUTS.names if name not in ("step", "epoch")]
        empty = {"reward": 0.0, "response_tokens": 1, "truncated": False, "response": ""}
        columns = {key: [{**empty, **row}[key] for row in rows] for key in names}
        parts.append(runs.rollouts_table(columns, step, order.epoch(step)))
    table = tables.pa.concat_tables(parts)
    if change is not None:
        table = change(table.to_pylist())
        table = tables.pa.Table.from_pylist(table, schema=tables.ROLLOUTS)
    files.write_parquet(folder / "rollouts.parquet", table)
    counts[3] |= says or {}
    files.write_parquet(folder / "metrics.parquet", runs.metrics_table(counts))
    (folder / "results/s/subsets").mkdir(parents=True)
    problems = "results/s/subsets/arm.jsonl"
    (folder / problems).write_text("".join(json.dumps(asdict(one)) + "\n" for one in POOL))
    ppo = {"prompts_per_step": SIZE, "drop_last": True, "steps": STEPS,
           "samples_per_prompt": SAMPLES}  # fmt: skip
    arm = SimpleNamespace(settings=ppo, sampler=sampler, start=None)
    config = {"engine": {"train": "embedded"}}
    of_arm = {"difficulty": lambda arm: None, "way": lambda arm: [], "streams": lambda arm: arm}
    study = SimpleNamespace(arms={"arm": arm}, config=config, **of_arm)
    found = [("arm", 1, "rollouts.parquet", problems)]
    monkeypatch.setattr(verify_rollouts, "here", lambda opened: found)
    opened = SimpleNamespace(folder=folder, results="results/s", study=study)
    return list(verify_rollouts.asked(opened))


def turned(rows):
    """Another verdict in the first step, from which other choices follow."""
    for row in rows:
        if row["step"] == 1:
            row["verdict"] = "correct"
    return rows


@pytest.mark.parametrize("name", plugins.names("samplers"))
def test_its_own_draws_pass_and_taken_ones_do_not(tmp_path, monkeypatch, name):
    assert archived(tmp_path / "whole", monkeypatch, name) == []
    found = archived(tmp_path / "short", monkeypatch, name, lambda rows: rows[SAMPLES:])
    assert len(found) == 1
    assert "step 1: the problems are not those that" in found[0]


@pytest.mark.parametrize("name", ["adarft", "dapo", "dps", "mopps"])
def test_a_forged_verdict_is_seen_by_what_was_drawn_next(tmp_path, monkeypatch, name):
    *counts, found = archived(tmp_path, monkeypatch, name, turned)
    assert "the problems are not those that" in found
    assert all(line.startswith("metrics.parquet: step 1: ") for line in counts)


@pytest.mark.parametrize("name", ["dapo", "uniform"])
@pytest.mark.parametrize("column", [*tables.DRAWN.names, "epoch"])
def test_what_the_metrics_say_was_drawn_follows_from_the_rollouts(
    tmp_path, monkeypatch, name, column
):
    [found] = archived(tmp_path, monkeypatch, name, says={column: 99})
    assert found.startswith(f"metrics.parquet: step 4: {column}: expected ")
    assert found.endswith(", found 99")
