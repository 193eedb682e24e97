"""What may be passed on: open data as it is, other data as ids, sha256 and where to get it.

A pinned file is open if config/sources.yaml states a licence for it that lets anybody pass it on. A
user's own file is open if the study says so (`archive.own_files`). Everything else is restricted,
and so is whatever holds its texts: problems, worked solutions, audits of answers, subsets, and the
report. A log or scores that were merely read into our format only repeat the file
and stay out too; so does the data of a figure that is drawn from them, row by row, while the
picture goes in. What was computed from restricted data (scores by our selectors, rollouts, counts,
tables, other figures' data) holds no text of it and goes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limr.core import plugins
from limr.sources.pinned import Source
from limr.study.study import Study, files_of

OPEN_LICENCES = frozenset(
    {
        *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"),
        *("ISC", "MIT", "ODC-By-1.0", "PDDL-1.0"),
    }
)
# What a figure may draw row by row: computed here, whatever it was computed from. A kind of result
# that nobody has thought of may hold what is restricted.
_COMPUTED = frozenset(
    {
        *("evaluations", "metrics", "subsets", "diagnostics", "opinions", "overlaps", "audits"),
        "backtest",
        *("findings", "problems", "runs", "paper"),
    }
)


_OWN = "'{}' is a file of the author's own, not named in archive.own_files"


@dataclass(frozen=True)
class Rules:
    """What a study may not pass on, each with the reason.

    Attributes:
        responses: whether texts of responses go in.
        policies: whether trained policies go in.
        files: pinned files.
        datasets: problem sets.
        sources: entries of `trajectories`.
        scores: scores that were published, not computed here.
        base: why the base policy stays out; empty where it goes in.
    """

    responses: bool
    policies: bool
    files: Mapping[str, str]
    datasets: Mapping[str, str]
    sources: Mapping[str, str]
    scores: Mapping[str, str]
    base: str


def rules(study: Study, sources: Mapping[str, Source]) -> Rules:
    """Return the rules of a study, given the pinned files (`limr.sources.pinned.load_sources`)."""
    files = {
        name: f"the licence of {name} does not let it be passed on ({sources[name].licence})"
        for name in study.files()
        if sources[name].licence not in OPEN_LICENCES
    }
    settings = study.config["archive"]

    def restricted(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        found = {}
        for name, entry in entries.items():
            closed = [files[file] for file in files_of(entry) if file in files]
            if closed:
                found[name] = closed[0]
            elif entry.get("path") and name not in settings["own_files"]:
                found[name] = _OWN.format(name)
        return found

    curves = restricted(study.trajectories)
    published = {
        name: curves[entry["trajectories"]]
        for name, entry in study.scores.items()
        if entry["trajectories"] in curves and study.provides_scores(entry["trajectories"])
    }
    for name, entry in study.scores.items():
        computed = plugins.load("selectors", entry["selector"]).NEEDS_TRAJECTORIES
        if study.score_files(name) and not computed and name not in settings["own_files"]:
            published[name] = _OWN.format(name)
    pretrained = study.config["base"].get("model")
    return Rules(
        responses=settings["responses"],
        policies=settings["policies"],
        files=files,
        datasets=restricted(study.datasets),
        sources=curves,
        scores=published,
        base=f"a pretrained model ({pretrained}), to be had from its origin" if pretrained else "",
    )


def why_not(study: Study, found: Rules, inside: str, kind: str) -> str | None:
    """Return why a file of a study stays out of its archive, None where it goes in.

    Args:
        study: the study.
        found: its rules.
        inside: the file's path under `results/{study}/`.
        kind: what it is (`limr.study.files.kind`).
    """
    parts = inside.split("/")
    stem = parts[-1].split(".")[0]
    if kind == "source":
        return found.files.get(parts[-1])
    if kind == "other":  # nobody has said what is in it
        closed = [*found.datasets.values(), *found.scores.values(), *found.sources.values()]
        return f"it may hold what is restricted: {closed[0]}" if closed else None
    if kind in ("problems", "solutions", "audit"):
        return found.datasets.get(parts[-1].removesuffix(".jsonl").removesuffix(".parquet"))
    if kind == "trajectories":
        return found.sources.get(stem)
    if kind == "scores":
        return found.scores.get(stem)
    if kind == "subset":
        score = study.arms[stem].score
        return found.datasets.get(study.arm_dataset(stem)) or found.scores.get(str(score))
    if kind == "table" and shows_texts(stem) and found.datasets:
        return f"it shows texts of problems: {next(iter(found.datasets.values()))}"
    answers = kind == "table" and "opinions" in plugins.load("tables", stem).REQUIRES
    if (answers or stem == "opinions") and found.datasets:
        return f"it shows gold answers: {next(iter(found.datasets.values()))}"
    if kind == "figure" and inside.endswith(".tsv"):
        plugin = plugins.load("figures", stem)
        drawn = {*plugin.REQUIRES, *getattr(plugin, "OPTIONAL", ())} - _COMPUTED
        closed = [*found.scores.values(), *found.sources.values()]
        return closed[0] if drawn and closed else None
    if kind == "report":
        return _why_no_report(study, found)
    if kind == "state":
        asked = study.config["archive"].get("states", False)
        return None if asked else "archive.states is not set"
    if kind == "policy":
        return None if found.policies else "archive.policies is false"
    return (found.base or None) if kind == "base" and stem != "limr" else None


def shows_texts(table: str) -> bool:
    """Return whether a table shows texts of problems."""
    return bool(getattr(plugins.load("tables", table), "SHOWS_TEXTS", False))


def _why_no_report(study: Study, found: Rules) -> str | None:
    texts = study.config["report"]["texts"]
    for closed in found.datasets.values() if texts else ():
        return f"it shows texts of problems: {closed}"
    # Its figures are drawn from data that it holds, row by row, whatever it shows.
    for closed in (*found.scores.values(), *found.sources.values()):
        return f"it holds scores or learning curves: {closed}"
    if texts and not found.responses:
        return "it shows responses, which this archive leaves out"
    return None


def origins(study: Study, sources: Mapping[str, Source], found: Rules) -> list[dict[str, Any]]:
    """Return where the study's pinned files are from, and how to get those that stay out."""
    copied = ("title", "url", "sha256", "bytes", "licence", "mirror")
    return [
        {
            "name": name,
            **{key: getattr(sources[name], key) for key in copied},
            "included": name not in found.files,
            "fetch": f"download the url, or put it at {sources[name].mirror} under LIMR_MIRROR",
        }
        for name in sorted(study.files())
    ]
