"""How sure the choices of a study will be, before its scoring run, and what would be enough."""

from __future__ import annotations

from typing import Any

from limr.core import plugins
from limr.plan.counts import Counts
from limr.scores import prospects
from limr.scores.enough import WANTED
from limr.scores.prospects import SHARE, USUAL, Prospect
from limr.study.study import Study

Json = dict[str, Any]
_SAMPLES = (2, 4, 8, 16, 32)
_DRAWS = 10


def plan(study: Study, counts: Counts) -> list[Json]:
    """Return, for each score that is made from a run of the study, how sure its choice will be.

    Scores whose run has not a known number of problems are left out, and those from less than one
    epoch, from files, and without samples.
    """
    found = []
    for name, score in study.scores.items():
        module = plugins.load("selectors", score["selector"])
        source = study.trajectories.get(score["trajectories"] or "", {})
        if not module.NEEDS_TRAJECTORIES or module.SEEDED or not source.get("arm"):
            continue
        each = score["trajectories"] not in study.config["trajectories"]
        ppo, n = study.arms[source["arm"]].settings, counts.arm(source["arm"]).n
        if not n or study.arms[source["arm"]].train != "ppo":
            continue
        if study.arms[source["arm"]].start or (each and source["seed"] != study.seeds[0]):
            continue  # not a whole run's; or another seed's of the same kind
        last = source["steps"][1] if "steps" in source else ppo["steps"]
        epochs = last * ppo["prompts_per_step"] // n
        wanted = score["options"].get("epochs")
        epochs = min(epochs, wanted) if isinstance(wanted, int) else epochs
        if epochs and (wanted is None or isinstance(wanted, int)):
            found.append(_row(study, name, n, int(ppo["samples_per_prompt"]), epochs))
    return found


def _row(study: Study, name: str, n: int, samples: int, epochs: int) -> Json:
    score = study.scores[name]
    sizes = [arm.cut.get("size") for arm in study.arms.values() if arm.score == name]
    known = [size for size in sizes if isinstance(size, int)]
    share = min(1.0, known[0] / n) if known else SHARE
    fewer = sorted({max(1, epochs // 2), epochs})
    pairs = [(m, k) for k in fewer for m in sorted({*_SAMPLES, samples})]
    options = {key: value for key, value in score["options"].items() if key != "epochs"}
    found = prospects.usual(n, score["selector"], options, pairs, share=share, draws=_DRAWS)
    [own] = [one for one in found if (one.samples, one.epochs) == (samples, epochs)]
    enough = prospects.cheapest(found, WANTED)
    return {
        "score": name,
        "problems": n,
        "samples": samples,
        "epochs": epochs,
        "share_chosen": round(share, 3),
        "unlimited_samples": _about(own.truth),
        "second_scoring": _about(own.again),
        "wanted": WANTED,
        "enough": _described(enough),
    }


def _described(enough: Prospect | None) -> Json | None:
    return None if enough is None else {"samples": enough.samples, "epochs": enough.epochs}


def _about(share: float) -> float:
    """Return a share to 5 points: the assumptions are good to no more."""
    return round(20 * share) / 20


def lines(found: list[Json]) -> list[str]:
    """Return them as text for people, with what is assumed."""
    said = []
    for row in found:
        enough = row["enough"]
        said.append(
            f"Score '{row['score']}', {row['samples']} samples in each of {row['epochs']} epochs: "
            f"of its choice about {row['unlimited_samples']:.0%} would be chosen with unlimited "
            f"samples, {row['second_scoring']:.0%} by a second such run; "
            + (
                f"{enough['samples']} samples in each of {enough['epochs']} epochs would be enough "
                f"for {row['wanted']:.0%}"
                if enough
                else f"nothing that was tried is enough for {row['wanted']:.0%}"
            )
        )
    first, second, step = USUAL
    if said:
        said.append(
            "assumed: curves like those of One-Shot RLVR's log (Qwen2.5-Math-1.5B): first rates by "
            f"Beta({first:g}, {second:g}), steps of {step:g} on the arcsine scale (docs/noise.md)"
        )
    return said
