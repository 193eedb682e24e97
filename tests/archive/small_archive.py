"""An archive that is whole by its own digests, of any files, for the tests of restoring."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

STUDY = {
    "study": "s",
    "seeds": [1],
    "datasets": {
        "mine": {"source": "problems-file", "path": "data/mine.jsonl"},
        "other": {"source": "problems-file", "path": "workflow"},
        "closed": {"source": "problems-file", "path": "closed.jsonl"},
    },
    "dataset": "mine",
    "scores": {"everything": {"selector": "full"}},
    "arms": {"full": {"train": "none", "score": "everything"}},
    "archive": {"own_files": ["mine", "other"]},
}


def small_archive(path: Path, files: dict[str, str], links: Sequence[str] = ()) -> Path:
    """Write an archive of a study `s`; `links` are those that its record names."""
    record = {
        **{"format": 1, "limr": "0", "study": "s", "config": "results/s/study.yaml"},
        **{"settings": {"responses": True, "policies": False}, "complete": True},
        **{key: [] for key in ("missing", "not_of_the_study", "data")},
        **{key: {} for key in ("left_out", "without_responses")},
        "code": {
            **{"commit": None, "tree": None, "changed": [], "executables": []},
            **{"links": list(links), "files": sorted({*files, *links})},
        },
        "environments": {"changed_since_runs": {}},
        "time": {"started": "", "ended": ""},
    }
    content = {**files, "archive.json": json.dumps(record)}
    graph = [
        {
            **{"@id": name, "@type": "File", "contentSize": str(len(text.encode()))},
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        for name, text in content.items()
    ]
    content["ro-crate-metadata.json"] = json.dumps({"@graph": graph})
    with zipfile.ZipFile(path, "w") as zipped:
        for name, text in content.items():
            zipped.writestr(name, text)
    return path
