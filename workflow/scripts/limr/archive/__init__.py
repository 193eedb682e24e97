"""The archive of a study: a zip that a stranger can verify, and go on from.

`contents` says what belongs to a study, `sharing` what may be passed on, `code` which code it was,
`crate` describes it all as a Workflow Run RO-Crate, `build` packs it. `unpack` opens archives of
strangers, `tables` and `links` bound what is in them, `verify*` checks them, `derive` makes every
derived file again, `restore` goes on from one, `compare` sets two side by side. Nothing in an
archive is ever executed.
"""

from pathlib import PurePosixPath

FORMAT = 1
RECORD = "archive.json"
CRATE = "ro-crate-metadata.json"
COMMIT = "provenance/commit"
CHANGES = "provenance/changes.diff"
IDS = "provenance/ids"
# Kinds of files for which ids stand in where their texts are left out.
WITH_IDS = ("problems", "solutions", "audit", "subset")


def ids_of(inside: str) -> str:
    """Return where an archive has the ids of a file that is left out: `inside` is below results."""
    return f"{IDS}/{PurePosixPath(inside).with_suffix('.jsonl')}"
