"""What the names of a log's files and folders tell: steps, writers, evaluations, what is no log."""

from __future__ import annotations

import re
from pathlib import Path

from limr.core import packed

KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".csv": "csv",
    ".pt": "pickle",
    ".pkl": "pickle",
    ".pickle": "pickle",
}
SUFFIXES = re.compile(
    "(" + "|".join(map(re.escape, (*KINDS, *packed.SUFFIXES, ".table"))) + ")+$", re.IGNORECASE
)
PARALLEL = re.compile(r"(rank|shard|worker|gpu|proc|dp|node|part-?of)[_-]?$", re.IGNORECASE)
WRITER = re.compile(
    r"(?<![a-z])(?:rank|shard|worker|gpu|proc|dp|node|part-?of)[_-]?\d+", re.IGNORECASE
)
HELD_OUT = re.compile(r"(?:^|[^a-z])(val|valid|validation|eval|evaluation|test)(?:[^a-z]|$)", re.I)
PARTS = re.compile(r"(part|attempt|resumed?|restart|cont(inued)?|job|segment)[_-]?#", re.IGNORECASE)
# What trainers save beside their logs: models with their settings.
NO_LOG = re.compile(
    r"(^|/)(checkpoint|global_step|iter)[-_]?\d+/|(^|/)([\w-]*config|trainer_state|tokenizer\w*|"
    r"special_tokens_map|added_tokens|vocab|preprocessor\w*|dataset_infos?|state)\.json$"
)
# Ids within names, which differ from file to file: uuids, hashes, and rLLM's episodes.
IDS = re.compile(
    r"episode_hash[^/]*(?=\.json)|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}(?![0-9a-z])"
)
STEP = re.compile(r"(?:^|[^a-z])step[_-]?(\d{1,18})", re.IGNORECASE)  # of a folder
# What trainers write beside their rollouts.
BESIDE = re.compile(
    r"(?:^|[/_-])(?:metadata|metrics|config|args|state|dataset_info|batch_summary"
    r"|aggregated_results|annotations/\w+)$"
)


def step_of(inside: Path) -> tuple[str, int | None]:
    """Return the folder of a file's run, and its number: of a folder `step_N`, else its name's."""
    for depth in reversed(range(len(inside.parts) - 1)):
        step = STEP.search(inside.parts[depth])
        if step:
            return str(Path(*inside.parts[:depth])), int(step[1])
    return str(inside.parent), next(iter(numbers(inside.name)[::-1]), None)


def shape_of(inside: Path) -> str:
    """Return a path with `#` for each number and `*` for each id: files of a log have one shape."""
    return re.sub(r"\d+", "#", IDS.sub("*", str(inside)))


def pattern_of(shape: str) -> str:
    """Return the pattern of a shape's files, for a shell."""
    return shape.replace("#", "*")


def bare(name: str) -> str:
    """Return a name without the suffixes of kinds and packing."""
    return SUFFIXES.sub("", name)


def numbers(name: str) -> list[int]:
    """Return the numbers in a name, but for those of ids and writers."""
    name = WRITER.sub("", IDS.sub("", bare(name)))
    return [int(digits) for digits in re.findall(r"\d{1,18}", name)]


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts names by the numbers in them."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
