"""Checks of an archive as a set of files: sizes, digests, the crate, the code, the environments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from limr.archive import (
    CHANGES,
    COMMIT,
    CRATE,
    IDS,
    RECORD,
    SOURCES_LOCK,
    WITH_IDS,
    crate,
    differences,
    ids_of,
    sharing,
)
from limr.archive import code as coding
from limr.archive.opened import Opened
from limr.core import provenance
from limr.sources.pinned import Source, load_sources
from limr.study import files as contents

Json = dict[str, Any]
# Kinds of files that no job of Snakemake's names as its output.
_WITHOUT_RECORD = ("log", "benchmark", "base", "policy", "declaration")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
_PIN = re.compile(r"^[A-Za-z0-9._-]+(\[[^]]*\])?(==| @ )\S")


def entities(document: Any) -> dict[str, Json]:
    """Return the entities of a crate by id; an empty mapping where it is none."""
    graph = document.get("@graph") if isinstance(document, dict) else None
    found = graph if isinstance(graph, list) else []
    return {
        str(entity["@id"]): entity
        for entity in found
        if isinstance(entity, dict) and "@id" in entity
    }


def manifest(document: Any, files: Mapping[str, tuple[int, str]]) -> Iterator[str]:
    """Yield what differs between the crate's list of files and the files."""
    listed = {}
    for name, entity in entities(document).items():
        kinds = entity.get("@type")
        if "File" in (kinds if isinstance(kinds, list) else [kinds]):
            listed[name] = entity
    for name in sorted(set(listed) - set(files)):
        yield f"{name}: it is listed and missing"
    for name in sorted(set(files) - set(listed) - {CRATE}):
        yield f"{name}: it is not listed: an extra file"
    for name in sorted(set(listed) & set(files)):
        size, digest = files[name]
        if listed[name].get("contentSize") != str(size):
            yield f"{name}: contentSize: expected {listed[name].get('contentSize')}, found {size}"
        if listed[name].get("sha256") != digest:
            yield f"{name}: sha256: expected {listed[name].get('sha256')}, found {digest}"


def described(opened: Opened) -> Iterator[str]:
    """Yield where the crate differs from the one that its record and its files give.

    Only what it says that each file is, which is for people, is not compared.
    """
    found = opened.json(CRATE)
    theirs = entities(found)
    files = {
        name: crate.File(size, digest, str(theirs.get(name, {}).get("description")))
        for name, (size, digest) in opened.files.items()
        if name != CRATE
    }
    expected = crate.document(opened.record, files)
    if not isinstance(found, dict) or expected["@context"] != found.get("@context"):
        yield f"{CRATE}: @context: expected {expected['@context']}"
    ours = entities(expected)
    for name in dict.fromkeys([*ours, *theirs]):
        for field in differences.of_values(ours.get(name, {}), theirs.get(name, {}), tolerance=0.0):
            yield f"{CRATE}: {name} {field}"


def commit(opened: Opened) -> Iterator[str]:
    """Yield what keeps the archived code from being the commit that is named.

    Raises:
        IntegrityError: a link of the code may lead out of the folder.
    """
    about = opened.record["code"]
    missing = sorted(set(about["files"]) - set(opened.files))
    for name in missing:
        yield f"{name}: code that the record names is missing"
    for name in _unexplained(opened):
        yield f"{name}: neither code, nor a result, nor a record: nothing says why it is there"
    coding.links(opened.folder, about, opened.files)
    if about["commit"] is None or missing:
        return
    text = (opened.folder / COMMIT).read_bytes() if opened.has(COMMIT) else b""
    name = coding.commit_name(text)
    if name != about["commit"]:
        yield f"{COMMIT}: commit: expected {about['commit']}, found {name}"
    if coding.tree_of_commit(text) != about["tree"]:
        yield f"{RECORD}: code.tree: expected {coding.tree_of_commit(text)}, found {about['tree']}"
    if not about["changed"]:
        modes = dict.fromkeys(about["files"], coding.PLAIN)
        modes |= dict.fromkeys(about["executables"], coding.EXECUTABLE)
        modes |= dict.fromkeys(about["links"], coding.LINK)
        found = coding.tree_name({n: (mode, opened.folder / n) for n, mode in modes.items()})
        if found != about["tree"]:
            yield (
                f"the code: tree: expected {about['tree']}, found {found}: a file of the code is "
                "not that of the commit"
            )


def _unexplained(opened: Opened) -> Iterator[str]:
    """Yield files that are not of the code, the results, the records, or the author's own."""
    known = {*opened.record["code"]["files"], opened.record["config"], RECORD, CRATE, SOURCES_LOCK}
    own = [str(Path(path)) for _, path in opened.study.own_paths]
    folders = (f"{IDS}/", f"{contents.METADATA}/", *(f"{path}/" for path in own))
    policies = opened.record["settings"]["policies"]
    for name in sorted(set(opened.files) - {*known, *own, COMMIT, CHANGES}):
        of_results, kind = name.startswith(f"{opened.results}/"), opened.kind(name)
        explained = kind is not None if of_results else name.startswith(folders)
        if not explained or (kind == "policy" and not policies):
            yield name


def code_differences(opened: Opened) -> list[str]:
    """Return the Python files in which the archived code differs from the running one."""
    theirs, ours = coding.module_digests(opened.folder), coding.module_digests(provenance.ROOT)
    return sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))


def environments(opened: Opened) -> Iterator[str]:
    """Yield pins without hashes, and locks of runs that are neither here nor said to differ."""
    locks = sorted(name for name in opened.files if re.fullmatch("envs/[^/]+[.]lock", name))
    if not locks:
        yield "envs: there is no lock"
    for name in locks:
        text = (opened.folder / name).read_text(encoding="utf-8", errors="replace")
        entries = re.split(r"\n(?=\S)", text.replace("\\\n", " "))
        for entry in (entry for entry in entries if _PIN.match(entry)):
            if not _HASH.search(entry):
                yield f"{name}: {entry.split()[0]}: it has no hash"
    said = opened.record["environments"]["changed_since_runs"]
    now = {name.removeprefix("envs/"): opened.files[name][1] for name in locks}
    for arm, seed in contents.runs(opened.study):
        path = f"{opened.results}/runs/{arm}/seed{seed}/run.json"
        if not opened.has(path):
            continue
        then = opened.json(path).get("environments_sha256", {})
        for lock in sorted(set(now) | set(then)):
            if now.get(lock) != then.get(lock) and path not in said.get(lock, ()):
                yield (
                    f"{path}: environments_sha256.{lock}: expected that of envs/{lock}, "
                    f"{now.get(lock)}, found {then.get(lock)}"
                )


def complete(opened: Opened) -> Iterator[str]:
    """Yield files that the study should have, and that nothing says are missing or left out.

    Nor may anything be left out that no rule keeps out: invented tables could then not be
    recomputed.
    """
    stated = {*opened.record["missing"], *opened.record["left_out"]}
    for inside in contents.required(opened.study):
        path = f"{opened.results}/{inside}"
        if path not in opened.files and path not in stated:
            yield f"{path}: it is missing, and {RECORD} does not say so"
    for path in sorted(stated & set(opened.files)):
        yield f"{path}: {RECORD} says that it is missing or left out, and it is there"
    if opened.record["complete"] == bool(opened.record["missing"]):
        yield f"{RECORD}: complete: expected {not opened.record['missing']}"
    settings = opened.study.config["archive"]
    for key, found in opened.record["settings"].items():
        if settings.get(key) is not found:
            expected = f"{settings.get(key)} (the study)"
            yield f"{RECORD}: settings.{key}: expected {expected}, found {found}"
    yield from _left_out(opened)


def _left_out(opened: Opened) -> Iterator[str]:
    """Yield files of the study that are left out, and that no rule keeps out."""
    rules = sharing.rules(opened.study, _sources(opened))
    for path in opened.record["left_out"]:
        kind = opened.kind(path)
        inside = path.removeprefix(f"{opened.results}/")
        if kind and sharing.why_not(opened.study, rules, inside, kind) is None:
            yield f"{path}: it is left out, and no rule keeps it out"


def _sources(opened: Opened) -> dict[str, Source]:
    """Return the pinned files: as this limr knows them, since an archive may say any licence."""
    ours = load_sources(provenance.ROOT / "config/sources.yaml")
    known = {str(source.pin): source for source in ours.values()}
    theirs = load_sources(opened.folder / "config/sources.yaml")
    return ours | {name: known.get(str(source.pin), source) for name, source in theirs.items()}


def ids(opened: Opened) -> Iterator[str]:
    """Yield texts that are left out without their ids."""
    for path in opened.record["left_out"]:
        at = ids_of(path.removeprefix(f"{opened.results}/"))
        if opened.kind(path) in WITH_IDS and not opened.has(at):
            yield f"{at}: the ids of what was left out are missing"


def workflow_records(opened: Opened) -> Iterator[str]:
    """Yield outputs without Snakemake's record, unfinished ones, and inputs with another sha256."""
    told: dict[tuple[str, str], str] = {}
    for path in opened.files:
        kind = opened.kind(path)
        if kind in (None, *_WITHOUT_RECORD) or path == opened.record["config"]:
            continue
        at = contents.metadata_path(path)
        if not opened.has(at):
            yield f"{path}: Snakemake's record of it is missing ({at})"
            continue
        about = opened.json(at)
        if about.get("incomplete"):
            yield f"{path}: Snakemake's record says that it was not finished"
        for name, digest in (about.get("input_checksums") or {}).items():
            found = opened.sha256(name)
            if found is not None and digest != f"sha256:{found}":
                when = f"sha256 when {path} was made: expected {digest}, found {found}"
                told.setdefault((name, digest), f"{name}: {when}")
    yield from told.values()
