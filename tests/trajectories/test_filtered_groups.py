"""Real curves of which only the mixed groups were logged: said, and scored nearly as the whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from limr.core.random_streams import stream
from limr.look.look import look
from limr.scores import scoring
from limr.trajectories.curves import Samples

pytestmark = [pytest.mark.data, pytest.mark.slow]
SAMPLES, PER_STEP = 8, 128


@pytest.fixture(scope="module")
def correct(mirror: Path) -> tuple[list[str], np.ndarray]:
    """(n_problems, n_epochs) correct of 8: One-Shot RLVR's published curves."""
    found = json.loads((mirror / "one_shot_rlvr/acc_step_500.json").read_text())
    epochs = min(map(len, found.values()))
    rates = np.array([curve[:epochs] for curve in found.values()])
    return list(found), np.rint(rates * SAMPLES).astype(int)


def write(folder: Path, ids: list[str], correct: np.ndarray, *, refill: bool) -> None:
    """As a trainer that logs mixed groups alone: batches shrink, or are refilled over epochs."""
    folder.mkdir()
    rng, batches, batch = stream(1, "test"), [], []
    for epoch in range(correct.shape[1]):
        for place, problem in enumerate(rng.permutation(len(ids))):
            if 0 < correct[problem, epoch] < SAMPLES:
                batch.append((problem, epoch))
            full = len(batch) == PER_STEP if refill else (place + 1) % PER_STEP == 0
            if full and batch:
                batches.append(batch)
                batch = []
    for step, groups in enumerate(batches, start=1):
        lines = [
            json.dumps({"input": f"Problem {ids[problem]}.", "output": "x",
                        "score": float(sample < correct[problem, epoch])})
            for problem, epoch in groups for sample in range(SAMPLES)
        ]  # fmt: skip
        (folder / f"{step}.jsonl").write_text("\n".join(lines))


@pytest.mark.parametrize("refill", [True, False])
def test_the_filter_is_named_and_the_recommended_score_is_near_the_whole_ones(
    correct: tuple[list[str], np.ndarray], tmp_path: Path, refill: bool
) -> None:
    ids, k = correct
    write(tmp_path / "log", ids, k, refill=refill)
    looked = look([tmp_path / "log"])
    assert "filtered-groups" in {finding.code for finding in looked.findings}
    assert looked.imported.samples.n_epochs == k.shape[1]
    whole = scoring.score(
        "lim", scoring.ProblemSet(ids, [None] * len(ids)), Samples(np.full_like(k, SAMPLES), k), {},
        seed=1, name="lim",
    ).values  # fmt: skip
    scores = pd.Series(whole, index=[f"Problem {key}." for key in ids])
    table = looked.prompts.set_index("prompt")
    both = pd.concat([table["score"], scores.rename("whole")], axis=1).dropna()
    assert len(both) > 0.85 * len(ids)
    assert spearmanr(both["score"], both["whole"])[0] >= 0.95


def test_whole_curves_are_not_taken_for_filtered_ones(
    correct: tuple[list[str], np.ndarray], tmp_path: Path
) -> None:
    ids, k = correct
    rows = [(key, epoch, SAMPLES, int(k[i, epoch]))
            for i, key in enumerate(ids) for epoch in range(4)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["problem_id", "epoch", "n", "n_correct"])
    table["mean_reward"] = np.nan
    table.astype({"epoch": "int16", "n": "int32", "n_correct": "int32"}).to_parquet(
        tmp_path / "t.parquet", index=False
    )
    looked = look([tmp_path / "t.parquet"], format_="trajectories")
    assert "filtered-groups" not in {finding.code for finding in looked.findings}
