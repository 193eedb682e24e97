"""The archive as a Workflow Run RO-Crate 0.5: who, what, when, and the sha256 of every file.

Written directly, and not by the `rocrate` library, since a crate must be the same bytes for the
same study, must be built while the files stream by, and must be rebuilt by whoever verifies it: the
library stamps the time of writing, keeps its own order, and copies files. `document` is a pure
function of the archive's record and of the files' digests, so that a verifier compares all of it.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limr.archive import CRATE, RECORD

Json = dict[str, Any]

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
ROCRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
WORKFLOW = "Snakefile"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/jsonlines",
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".tsv": "text/tab-separated-values",
    ".log": "text/plain",
}


@dataclass(frozen=True)
class File:
    """A file of the archive: its size in bytes, sha256, and what it is."""

    bytes: int
    sha256: str
    kind: str


def document(record: Mapping[str, Any], files: Mapping[str, File]) -> Json:
    """Return the content of ro-crate-metadata.json.

    Args:
        record: the archive's record (`archive.json`).
        files: path -> every other file of the archive, `archive.json` included.
    """
    names = sorted(files)
    entities = [
        *_root(record, names),
        *_workflow(record, files[WORKFLOW]),
        *_run(record, names),
        *(
            {"@id": name, "@type": "File", "description": files[name].kind}
            | _content(name, files[name])
            for name in names
            if name != WORKFLOW
        ),
    ]
    return {"@context": [CONTEXT, TERMS], "@graph": entities}


def _ids(names: Iterable[str]) -> list[Json]:
    return [{"@id": name} for name in names]


def _root(record: Mapping[str, Any], names: list[str]) -> list[Json]:
    """Return the descriptor of the crate, its root, and the profiles that it conforms to."""
    return [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _ids([ROCRATE, WORKFLOW_CRATE]),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"The study '{record['study']}', run by limr",
            "description": (
                "Code, configuration, environments, rollouts, scores, subsets, evaluations, "
                "tables and figures of a study of which problems are worth training on. "
                "`limr verify` checks it."
            ),
            "datePublished": record["time"]["ended"],
            "license": {"@id": LICENCE},
            "conformsTo": _ids(PROFILES),
            "mainEntity": {"@id": WORKFLOW},
            "mentions": {"@id": "#run"},
            "hasPart": _ids(names),
        },
        *(
            {"@id": uri, "@type": "CreativeWork", "name": name, "version": version}
            for uri, (name, version) in PROFILES.items()
        ),
    ]


def _workflow(record: Mapping[str, Any], file: File) -> list[Json]:
    return [
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "limr",
            "version": record["code"]["commit"] or "not in git",
            "programmingLanguage": {"@id": LANGUAGE},
            "license": {"@id": LICENCE},
            "creator": {"@id": "#developers"},
            "input": {"@id": "#configuration"},
            "output": {"@id": "#results"},
            **_content(WORKFLOW, file),
        },
        {
            "@id": LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": {"@id": "https://snakemake.github.io"},
            "url": {"@id": "https://snakemake.github.io"},
            "version": record["snakemake"] or "unknown",
        },
        {"@id": "https://snakemake.github.io", "@type": "WebSite", "name": "Snakemake"},
        {"@id": LICENCE, "@type": "CreativeWork", "name": "Apache License 2.0"},
        {"@id": "#developers", "@type": "Organization", "name": "The limr developers"},
    ]


def _run(record: Mapping[str, Any], names: list[str]) -> list[Json]:
    results = f"results/{record['study']}/"
    made = [name for name in names if name.startswith(results) and name != record["config"]]
    summary = f"{results}headline.txt"
    shown = summary if summary in names else RECORD
    return [
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"Run of the study '{record['study']}'",
            "instrument": {"@id": WORKFLOW},
            "object": _ids([record["config"]]),
            "result": _ids(made or [RECORD]),
            "startTime": record["time"]["started"],
            "endTime": record["time"]["ended"],
            "actionStatus": {
                "@id": "http://schema.org/"
                + ("CompletedActionStatus" if record["complete"] else "PotentialActionStatus")
            },
        },
        _parameter("#configuration", "study", record["config"]),
        _parameter("#results", "results", shown),
    ]


def _parameter(identifier: str, name: str, example: str) -> Json:
    return {
        "@id": identifier,
        "@type": "FormalParameter",
        "name": name,
        "additionalType": "File",
        "conformsTo": {"@id": FORMAL_PARAMETER},
        "workExample": {"@id": example},
    }


def _content(name: str, file: File) -> Json:
    suffix = "." + name.rsplit(".", 1)[-1]
    known = _TYPES.get(suffix) or mimetypes.types_map.get(suffix) or "application/octet-stream"
    return {"contentSize": str(file.bytes), "encodingFormat": known, "sha256": file.sha256}
