"""The archive of a study: a zip that a stranger can verify, and go on from.

`build` collects and packs a study (`packing`): `sharing` says what may be passed on, `code` which
code it was, `crate` describes it all as a Workflow Run RO-Crate. `unpack` and `documents` read
archives of strangers within bounds, `opened` checks their form. `verify*` checks an archive,
`derive` recomputes every derived file, `planning` asks Snakemake what is left to do, `restore` goes
on from an archive, `compare` says how two studies differ. Nothing in an archive is ever executed.
"""

from pathlib import PurePosixPath

FORMAT = 1
RECORD = "archive.json"
CRATE = "ro-crate-metadata.json"
COMMIT = "provenance/commit"
CHANGES = "provenance/changes.diff"
IDS = "provenance/ids"
SOURCES_LOCK = "config/sources.lock.yaml"  # what was first seen of pinned files
# Kinds of files of which an archive has the ids where their texts are left out.
WITH_IDS = ("problems", "solutions", "audit", "subset")


def ids_of(inside: str) -> str:
    """Return where an archive has the ids of a file that is left out: `inside` is below results."""
    return f"{IDS}/{PurePosixPath(inside).with_suffix('.jsonl')}"
