"""prime-rl's traces: `step_{N}/train/…/traces.jsonl`, one line an episode of `verifiers`.

prime-rl (PrimeIntellect-ai/prime-rl, `src/prime_rl/monitors/file.py`) appends each episode to the
folder of the step at which it arrived; the folders `effective` lack the groups that the trainer
filtered out. An episode (`verifiers.v1.Episode.to_record`) holds a task and the traces of one or
several agents; those of trained agents are the rollouts. A trace's reward is the sum of its named
rewards by weight, and is missing where scoring did not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader, reward_columns
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "**/train/**/traces.jsonl*"
check = reader.check
Options = reader.Options


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key of an expanded row; None where these are no traces.

    Raises:
        InputError: no reward, or several, may say whether a response is correct.
    """
    if not sample.has("task", "traces") or not isinstance(sample.value("traces"), list):
        return None
    rows = [row for line in sample.rows for row in rollouts(line)]
    names = list(dict.fromkeys(name for row in rows for name in row if name.startswith("rewards.")))
    short = [name.removeprefix("rewards.") for name in names]
    found = {"prompt": "prompt", "response": "response", "gold": "gold", "rollout": "rollout"}
    found |= {name: name for name in ("id", "group") if all(row[name] is not None for row in rows)}
    if options["reward"] == "reward" or (not names and options["reward"] is None):
        return found | {"reward": "reward"}
    told = reward_columns.chosen(sample.file.name, short, options["reward"])
    if options["reward"] is None and reward_columns.says_correct(told):
        return found | {"reward": "reward", "correct": f"rewards.{told}"}
    whole = len(names) == 1 and options["reward"] is None
    return found | {"reward": "reward" if whole else f"rewards.{told}"}


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes rollouts of an episode."""
    return rollouts


def rollouts(episode: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rollouts of an episode; one without a reward where it has no trace.

    Raises:
        ValueError: several agents are trained in it.
    """
    task = episode["task"]
    data = task.get("data") or task
    shared = {
        "id": task.get("id") or task.get("key"),
        "gold": data.get("answer"),
        "group": (episode.get("group") or {}).get("id"),
    }
    traces = [t for t in episode["traces"] if t.get("agent", {}).get("trainable", True)]
    agents = {trace.get("agent", {}).get("name") for trace in traces}
    if len(agents) > 1:
        raise ValueError(f"several agents are trained in it: {', '.join(sorted(map(str, agents)))}")
    for trace in traces or [{"id": episode.get("id")}]:
        messages = [node.get("message") or node for node in trace.get("nodes") or []]
        prompt = data.get("prompt") or next((m for m in messages if m.get("role") == "user"), None)
        said = [m.get("content") for m in messages if m.get("role") == "assistant"]
        yield {
            **shared,
            "prompt": prompt or shared["id"],
            "response": said[-1] if said else None,
            "rollout": trace.get("id") or episode.get("id"),
            **_rewards(trace),
        }


def _rewards(trace: Mapping[str, Any]) -> dict[str, float | None]:
    """Return `reward`, and each named reward's score."""
    named = {n: r for n, r in (trace.get("rewards") or {}).items() if r is not None}
    scores = {name: r if isinstance(r, (int, float)) else r["score"] for name, r in named.items()}
    weights = {n: r.get("weight", 1.0) if isinstance(r, Mapping) else 1.0 for n, r in named.items()}
    whole = trace.get("reward")
    if whole is None and scores:
        whole = sum(scores[name] * weights[name] for name in scores)
    return {"reward": whole, **{f"rewards.{name}": score for name, score in scores.items()}}


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of traces; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "prime-rl")
