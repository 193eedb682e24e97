"""Packing a study: collect its files, pack them, describe them, and say what is missing."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata as packages
from pathlib import Path
from typing import Any

from limr import __version__
from limr.archive import (
    CHANGES,
    COMMIT,
    CRATE,
    FORMAT,
    RECORD,
    SOURCES_LOCK,
    WITH_IDS,
    crate,
    documents,
    ids_of,
    packing,
    sharing,
)
from limr.archive import code as coding
from limr.core import files as io
from limr.sources.pinned import Source, load_sources
from limr.study import files as contents
from limr.study.study import Study

Json = dict[str, Any]


@dataclass
class Plan:
    """What goes into an archive and what stays out.

    Attributes:
        study: the study.
        folder: the working folder, with `results/`.
        root: the folder of the code.
        rules: what may be passed on.
        code: the code.
        files: path -> (kind, the file or its content).
        stripped: those tables of responses that go in without the texts.
        left_out: path -> bytes, sha256 and reason.
        strangers: files among the results that the study as configured does not have.
        missing: files that a finished study has and this one does not have.
    """

    study: Study
    folder: Path
    root: Path
    rules: sharing.Rules
    code: coding.Code
    files: dict[str, tuple[str, Path | bytes]] = field(default_factory=dict)
    stripped: set[str] = field(default_factory=set)
    left_out: dict[str, Json] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def results(self) -> str:
        """`results/{study}`."""
        return f"results/{self.study.name}"


def archive(study: Study, folder: Path, root: Path, output: Path) -> list[str]:
    """Write the archive of a study, and return what its author must know of it.

    Args:
        study: the study.
        folder: the working folder, with `results/`.
        root: the folder of the code.
        output: the zip.

    Raises:
        InputError: the code's commit cannot be told, the output cannot be written, or a file
            changed meanwhile.
    """
    sources = load_sources(root / "config/sources.yaml", folder / SOURCES_LOCK)
    return said(write(plan(study, sources, folder, root), sources, output))


def plan(study: Study, sources: Mapping[str, Source], folder: Path, root: Path) -> Plan:
    """Return what an archive of a study would hold, given the pinned files; see `archive`."""
    found = Plan(study, folder, root, sharing.rules(study, sources), coding.read(root))
    present = set()
    for inside, kind in contents.files(study, folder / found.results):
        present.add(inside)
        if kind is None:
            found.strangers.append(f"{found.results}/{inside}")
        else:
            _place(found, inside, kind)
    found.missing = [
        f"{found.results}/{name}" for name in contents.required(study) if name not in present
    ]
    _own_files(found)
    for name, mode in found.code.files.items():
        source = root / name
        content = str(source.readlink()).encode() if mode == coding.LINK else source
        found.files.setdefault(name, ("code", content))
    locked = folder / SOURCES_LOCK
    if any(sources[name].lock for name in study.files()) and locked.is_file():
        found.files.setdefault(SOURCES_LOCK, ("lock of pinned files", locked))
    for path in contents.metadata(study, folder).values():
        found.files[path] = ("workflow record", folder / path)
    return found


def _place(found: Plan, inside: str, kind: str) -> None:
    """Sort one file of the results: in, in without texts, or out."""
    path, source = f"{found.results}/{inside}", found.folder / found.results / inside
    why = sharing.why_not(found.study, found.rules, inside, kind)
    if why is None:
        if kind in contents.WITH_RESPONSES and not found.rules.responses:
            found.stripped.add(path)
        found.files[path] = (kind, source)
        return
    # These files are large: that they are left out says enough.
    large = kind in ("policy", "state")
    found.left_out[path] = _about(source, digest=not large) | {"why": why}
    if kind == "audit":
        found.files[ids_of(inside)] = ("ids", packing.findings(source))
    elif kind in WITH_IDS:
        closed = found.rules.scores
        open_scores = kind != "subset" or found.study.arms[source.stem].score not in closed
        found.files[ids_of(inside)] = ("ids", packing.ids(source, scores=open_scores))


def _about(path: Path, *, digest: bool = True) -> Json:
    return {"bytes": path.stat().st_size, "sha256": io.sha256(path) if digest else None}


def _own_files(found: Plan) -> None:
    """Sort the author's own files: those named in archive.own_files go in, at their place."""
    own = found.study.config["archive"]["own_files"]
    for name, path in found.study.own_paths:
        # As the workflow finds it, wherever this is called.
        given = found.folder / path
        files = [given] if given.is_file() else sorted(given.rglob("*"))
        for at in (at for at in files if at.is_file()):
            inside = os.path.relpath(at, found.folder)
            if name in own and not inside.startswith(".."):
                found.files[inside] = ("own file", at)
                continue
            why = "a file of the author's own, not named in archive.own_files"
            if name in own:
                why = "a file outside the working folder"
            found.left_out[str(Path(path) / at.relative_to(given))] = _about(at) | {"why": why}


def write(found: Plan, sources: Mapping[str, Source], output: Path) -> Json:
    """Write the archive that was planned, and return its record; see `archive`."""
    config = f"{found.results}/study.yaml"
    found.files[config] = ("configuration", documents.study_yaml(found.study))
    if found.code.commit:
        found.files[COMMIT] = ("commit", found.code.text)
    if found.code.diff:
        found.files[CHANGES] = ("changes", found.code.diff)
    with packing.zip_at(output) as packer:
        altered = _pack(found, packer)
        record = _record(found, sources, config, altered)
        packer.add(RECORD, _json(record), "record of the archive")
        packer.add(CRATE, _json(crate.document(record, packer.files)), "crate")
    return record


def _pack(found: Plan, packer: packing.Packer) -> dict[str, Json]:
    """Pack every file, sorted by name; return path -> original of those that were altered."""
    altered = {}
    for name in sorted(found.files):
        kind, source = found.files[name]
        if name in found.stripped and isinstance(source, Path):
            with tempfile.TemporaryDirectory(prefix="limr-archive-") as scratch:
                stripped = Path(scratch) / "table.parquet"
                packing.without_responses(source, stripped)
                packer.add(name, stripped, f"{kind} without responses")
            altered[name] = _about(source)
        else:
            executable = found.code.files.get(name) == coding.EXECUTABLE
            packer.add(name, source, kind, executable=executable)
    return altered


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _record(
    found: Plan, sources: Mapping[str, Source], config: str, altered: Mapping[str, Json]
) -> Json:
    code = found.code
    settings = found.study.config["archive"]
    return {
        "format": FORMAT,
        "limr": __version__,
        "study": found.study.name,
        "config": config,
        "settings": {"responses": settings["responses"], "policies": settings["policies"]},
        "complete": not found.missing,
        "missing": found.missing,
        "left_out": found.left_out,
        "without_responses": altered,
        "not_of_the_study": found.strangers,
        "code": {
            "commit": code.commit,
            "tree": coding.tree_of_commit(code.text) if code.commit else None,
            "changed": list(code.changed),
            "links": [name for name, mode in code.files.items() if mode == coding.LINK],
            "executables": [n for n, mode in code.files.items() if mode == coding.EXECUTABLE],
            "files": sorted(code.files),
        },
        "environments": _environments(found),
        "data": sharing.origins(found.study, sources, found.rules),
        "time": _times(found),
        "snakemake": version("snakemake"),
        "matplotlib": version("matplotlib"),
    }


def _environments(found: Plan) -> Json:
    """Return the locks that differ from those of a run: lock -> runs, as the author knows them."""
    now = {path.name: io.sha256(path) for path in sorted((found.root / "envs").glob("*.lock"))}
    changed: dict[str, list[str]] = {}
    for path, (_, source) in sorted(found.files.items()):
        if path.endswith("/run.json") and isinstance(source, Path):
            then = io.read_json(source).get("environments_sha256", {})
            for lock in sorted(set(now) | set(then)):
                if now.get(lock) != then.get(lock):
                    changed.setdefault(lock, []).append(path)
    return {"changed_since_runs": changed}


def _times(found: Plan) -> Json:
    """Return when the study's first job started and its last one ended, by Snakemake's records."""
    records = [
        io.read_json(source)
        for kind, source in found.files.values()
        if kind == "workflow record" and isinstance(source, Path)
    ]
    started = min((r["starttime"] for r in records if r.get("starttime")), default=0.0)
    ended = max((r["endtime"] for r in records if r.get("endtime")), default=0.0)
    return {
        key: datetime.fromtimestamp(int(seconds), UTC).isoformat()
        for key, seconds in (("started", started), ("ended", ended))
    }


def version(package: str) -> str | None:
    """Return the version of an installed package, None where it is not installed."""
    try:
        return packages.version(package)
    except packages.PackageNotFoundError:
        return None


def said(record: Json) -> list[str]:
    """Return what the author must know of the archive, the worst first."""
    code, missing, others = record["code"], record["missing"], record["not_of_the_study"]
    changed, locks = code["changed"], record["environments"]["changed_since_runs"]
    names = ", ".join(changed[:5]) + (", …" if len(changed) > 5 else "")
    reasons = Counter(about["why"] for about in record["left_out"].values())
    stripped = record["without_responses"]
    lines = [
        (not code["commit"], "WARNING: the code is not in git: no commit can be named or proved."),
        (
            changed,
            f"WARNING: {len(changed)} files of the code differ from commit {code['commit']}: "
            f"{names}. The difference goes in as {CHANGES}. Commit, and archive again.",
        ),
        (
            missing,
            f"WARNING: the study is not finished: {len(missing)} files are missing, such as "
            f"{''.join(missing[:1])}.",
        ),
        (locks, f"WARNING: locks that differ from those of the runs: {', '.join(locks)}."),
        (
            others,
            f"{len(others)} files under results/{record['study']} are no part of this study and "
            f"stay out, such as {''.join(others[:1])}.",
        ),
        *((True, f"{n} files stay out: {why}.") for why, n in reasons.items()),
        (stripped, f"{len(stripped)} tables go in without the responses' texts."),
    ]
    return [text for applies, text in lines if applies]
