"""Packing a study: collect, say what is missing or left out, stream, describe."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata as packages
from pathlib import Path
from typing import Any

import yaml

from limr import __version__
from limr.archive import (
    CHANGES,
    COMMIT,
    CRATE,
    FORMAT,
    RECORD,
    WITH_IDS,
    crate,
    ids_of,
    sharing,
    stripping,
)
from limr.archive import code as coding
from limr.archive.packing import Packer, packing
from limr.core import files as io
from limr.core import provenance
from limr.sources.pinned import Source
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
        files: path -> (kind, where it stands or its content).
        stripped: tables of responses that go in without the texts.
        left_out: path -> bytes, sha256 and reason.
        strangers: files among the results that are no part of the study as configured.
        missing: files that a finished study has and this one has not.
    """

    study: Study
    folder: Path
    root: Path
    rules: sharing.Rules
    code: coding.Code
    files: dict[str, tuple[str, Path | bytes]] = field(default_factory=dict)
    stripped: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, Json] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def results(self) -> str:
        """`results/{study}`."""
        return f"results/{self.study.name}"


def plan(study: Study, sources: Mapping[str, Source], folder: Path, root: Path) -> Plan:
    """Say what an archive of a study would hold; nothing is written.

    Args:
        study: the study.
        sources: the pinned files.
        folder: the working folder, with `results/`.
        root: the folder of the code.

    Raises:
        InputError: the code's commit cannot be told.
    """
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
    for path in contents.metadata(study, folder).values():
        found.files[path] = ("workflow record", folder / path)
    return found


def _place(found: Plan, inside: str, kind: str) -> None:
    """Sort one file of the results: in, in without texts, or out."""
    path, source = f"{found.results}/{inside}", found.folder / found.results / inside
    why = sharing.why_not(found.study, found.rules, inside, kind)
    if why is None:
        if kind in contents.WITH_RESPONSES and not found.rules.responses:
            found.stripped[path] = source
        found.files[path] = (kind, source)
        return
    # A policy's files are many and large: that they are left out says enough.
    digest = None if kind == "policy" else io.sha256(source)
    found.left_out[path] = {"bytes": source.stat().st_size, "sha256": digest, "why": why}
    if kind == "audit":
        found.files[ids_of(inside)] = ("ids", stripping.findings(source))
    elif kind in WITH_IDS:
        closed = found.rules.scores
        open_scores = kind != "subset" or found.study.arms[source.stem].score not in closed
        found.files[ids_of(inside)] = ("ids", stripping.ids(source, scores=open_scores))


def _own_files(found: Plan) -> None:
    """Sort the author's own files: those named in archive.own_files go in, at their place."""
    own = found.study.config["archive"]["own_files"]
    entries = {**found.study.datasets, **found.study.config["trajectories"]}
    for name, entry in entries.items():
        if not entry.get("path"):
            continue
        # As the workflow finds it, wherever this is called.
        given = found.folder / entry["path"]
        files = [given] if given.is_file() else sorted(given.rglob("*"))
        for at in (at for at in files if at.is_file()):
            path = Path(entry["path"]) / at.relative_to(given)
            inside = os.path.relpath(at, found.folder)
            if name in own and not inside.startswith(".."):
                found.files[inside] = ("own file", at)
            else:
                why = (
                    "a file outside the working folder"
                    if name in own
                    else ("a file of the author's own, not named in archive.own_files")
                )
                found.left_out[str(path)] = {
                    "bytes": at.stat().st_size,
                    "sha256": io.sha256(at),
                    "why": why,
                }


def write(found: Plan, sources: Mapping[str, Source], output: Path) -> Json:
    """Write the archive and return its record.

    Args:
        found: see `plan`.
        sources: the pinned files.
        output: the zip.

    Raises:
        InputError: the output cannot be written, or a file changed meanwhile.
    """
    config = f"{found.results}/study.yaml"
    found.files[config] = ("configuration", _config(found.study))
    if found.code.commit:
        found.files[COMMIT] = ("commit", found.code.text)
    if found.code.diff:
        found.files[CHANGES] = ("changes", found.code.diff)
    with tempfile.TemporaryDirectory(prefix="limr-archive-") as scratch, packing(output) as packer:
        altered = dict(_pack(found, packer, Path(scratch)))
        record = _record(found, sources, config, altered)
        packer.add(RECORD, _json(record), "record of the archive")
        packer.add(CRATE, _json(crate.document(record, packer.files)), "crate")
    return record


def _pack(found: Plan, packer: Packer, scratch: Path) -> Iterator[tuple[str, Json]]:
    """Pack every file, sorted by name; yield (path, original) of those that were altered."""
    for name in sorted(found.files):
        kind, source = found.files[name]
        executable = found.code.files.get(name) == coding.EXECUTABLE
        if name not in found.stripped:
            packer.add(name, source, kind, executable=executable)
            continue
        original = found.stripped[name]
        stripped = scratch / "table.parquet"
        stripping.without_responses(original, stripped)
        packer.add(name, stripped, f"{kind} without responses")
        yield name, {"bytes": original.stat().st_size, "sha256": io.sha256(original)}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _config(study: Study) -> bytes:
    kept = {key: value for key, value in study.config.items() if key != "mirror"}
    head = "# The study as it was run, every default spelled out.\n"
    text: str = yaml.dump(kept, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return (head + text).encode()


class _Plain(yaml.SafeDumper):
    """Writes every value out: no anchors, which a verifier refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


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
    started, ended = [], []
    for kind, source in found.files.values():
        if kind == "workflow record" and isinstance(source, Path):
            about = io.read_json(source)
            started += [about["starttime"]] if about.get("starttime") else []
            ended += [about["endtime"]] if about.get("endtime") else []
    return {
        "started": _date(min(started, default=0.0)),
        "ended": _date(max(ended, default=0.0)),
    }


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def version(package: str) -> str | None:
    """Return the version of an installed package, None where it is not installed."""
    try:
        return packages.version(package)
    except packages.PackageNotFoundError:
        return None


def code_root() -> Path:
    """Return the folder of the code that is running."""
    return provenance.ROOT
