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
    WITH_IDS,
    crate,
    differences,
    ids_of,
    links,
    sharing,
)
from limr.archive import code as coding
from limr.archive.opened import Opened
from limr.core import files as io
from limr.core import provenance
from limr.sources.pinned import Source, load_sources
from limr.study import files as contents

Json = dict[str, Any]
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


def profile(document: Any) -> Iterator[str]:
    """Yield what keeps a document from being a Workflow Run RO-Crate 0.5."""
    found = entities(document)
    root, workflow = found.get("./", {}), found.get(crate.WORKFLOW, {})
    about = found.get(CRATE, {}).get("about")
    context = document.get("@context") if isinstance(document, dict) else None
    if not isinstance(context, list) or crate.CONTEXT not in context:
        yield f"{CRATE}: @context: expected {crate.CONTEXT}"
    if about != {"@id": "./"}:
        yield f"{CRATE}: about: expected the root './', found {about!r}"
    named = [part.get("@id") for part in root.get("conformsTo", []) if isinstance(part, dict)]
    for uri in crate.PROFILES:
        if uri not in named:
            yield f"{CRATE}: ./ conformsTo: {uri} is missing"
    for key in ("name", "description", "datePublished", "license"):
        if not root.get(key):
            yield f"{CRATE}: ./ {key}: it is missing"
    if root.get("mainEntity") != {"@id": crate.WORKFLOW}:
        yield f"{CRATE}: ./ mainEntity: expected {crate.WORKFLOW}, found {root.get('mainEntity')!r}"
    for kind in ("File", "SoftwareSourceCode", "ComputationalWorkflow"):
        if kind not in workflow.get("@type", []):
            yield f"{CRATE}: {crate.WORKFLOW} @type: {kind} is missing"
    run = found.get("#run", {})
    if run.get("@type") != "CreateAction" or run.get("instrument") != {"@id": crate.WORKFLOW}:
        yield f"{CRATE}: #run: expected a CreateAction whose instrument is {crate.WORKFLOW}"


def rebuilt(document: Any, opened: Opened) -> Iterator[str]:
    """Yield where a crate differs from the one that its record and its files give."""
    listed = {
        name: crate.File(size, digest, _kind(opened, name))
        for name, (size, digest) in opened.files.items()
        if name != CRATE
    }
    expected = crate.document(opened.record, listed)
    ours, theirs = entities(expected), entities(document)
    if expected["@context"] != document.get("@context"):
        yield f"{CRATE}: @context: expected {expected['@context']}"
    for name in dict.fromkeys([*ours, *theirs]):
        for found in differences.of_values(ours.get(name, {}), theirs.get(name, {}), tolerance=0.0):
            yield f"{CRATE}: {name} {found}"


def _kind(opened: Opened, name: str) -> str:
    """Return what the crate says a file is."""
    named = {
        RECORD: "record of the archive",
        COMMIT: "commit",
        CHANGES: "changes",
        opened.record["config"]: "configuration",
    }
    inside = name.removeprefix(f"{opened.results}/")
    kind = contents.kind(opened.study, inside) if inside != name else None
    if name in opened.record["without_responses"]:
        return f"{kind} without responses"
    if name in named or kind:
        return named.get(name) or str(kind)
    if name.startswith(f"{contents.METADATA}/"):
        return "workflow record"
    if name.startswith(f"{IDS}/"):
        return "ids"
    return "code" if name in opened.record["code"]["files"] else "own file"


def commit(opened: Opened) -> Iterator[str]:
    """Yield what keeps the archived code from being the commit that is named."""
    about = opened.record["code"]
    missing = [name for name in about["files"] if name not in opened.files]
    for name in missing:
        yield f"{name}: code that the record names is missing"
    strangers = [name for name in opened.files if not _explained(opened, name)]
    for name in sorted(strangers):
        yield f"{name}: neither code, nor a result, nor a record: nothing says why it is there"
    yield from links.wrong(opened.folder, about, opened.files)
    if about["commit"] is None or missing:
        return
    text = (opened.folder / COMMIT).read_bytes() if opened.has(COMMIT) else b""
    name = coding.commit_name(text)
    if name != about["commit"]:
        yield f"{COMMIT}: commit: expected {about['commit']}, found {name}"
    if coding.tree_of_commit(text) != about["tree"]:
        yield f"{RECORD}: code.tree: expected {coding.tree_of_commit(text)}, found {about['tree']}"
    if not about["changed"]:
        found = coding.tree_name({n: (_mode(about, n), opened.folder / n) for n in about["files"]})
        if found != about["tree"]:
            yield (
                f"the code: tree: expected {about['tree']}, found {found}: a file of the code is "
                "not that of the commit"
            )


def _mode(about: Json, name: str) -> str:
    if name in about["links"]:
        return coding.LINK
    return coding.EXECUTABLE if name in about["executables"] else coding.PLAIN


def _explained(opened: Opened, name: str) -> bool:
    if name.startswith(f"{opened.results}/"):
        inside = name.removeprefix(f"{opened.results}/")
        return name == opened.record["config"] or contents.kind(opened.study, inside) is not None
    entries = {**opened.study.datasets, **opened.study.config["trajectories"]}
    own = [str(Path(entry["path"])) for entry in entries.values() if entry.get("path")]
    return (
        name in opened.record["code"]["files"]
        or name.startswith(("provenance/", f"{contents.METADATA}/"))
        or name in (RECORD, CRATE)
        or any(name == path or name.startswith(f"{path}/") for path in own)
    )


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

    Nor may anything be left out that no rule keeps out: made-up tables would then have no rows to
    be made again from.
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
        inside = path.removeprefix(f"{opened.results}/")
        kind = contents.kind(opened.study, inside) if inside != path else None
        if kind and sharing.why_not(opened.study, rules, inside, kind) is None:
            yield f"{path}: it is left out, and no rule keeps it out"


def _sources(opened: Opened) -> dict[str, Source]:
    """Return the pinned files: as this limr knows them, since an archive may say any licence."""
    ours = load_sources(provenance.ROOT / "config/sources.yaml")
    known = {source.sha256: source for source in ours.values()}
    theirs = load_sources(opened.folder / "config/sources.yaml")
    return ours | {name: known.get(source.sha256, source) for name, source in theirs.items()}


def ids(opened: Opened) -> Iterator[str]:
    """Yield texts that are left out without their ids."""
    for path in opened.record["left_out"]:
        inside = path.removeprefix(f"{opened.results}/")
        kind = contents.kind(opened.study, inside)
        if kind in WITH_IDS and not opened.has(ids_of(inside)):
            yield f"{ids_of(inside)}: the ids of what was left out are missing"


def workflow_records(opened: Opened) -> Iterator[str]:
    """Yield outputs without Snakemake's record, unfinished ones, and inputs with another sha256."""
    told: dict[tuple[str, str], str] = {}
    for path in opened.files:
        inside = path.removeprefix(f"{opened.results}/")
        kind = contents.kind(opened.study, inside) if path != inside else None
        if kind in (None, "log", "benchmark", "base", "policy") or path == opened.record["config"]:
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


def archive_digest(path: Path) -> str:
    """Return an archive's own sha256, which nothing inside can vouch for."""
    return io.sha256(path)
