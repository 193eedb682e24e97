"""open-instruct's rollouts: `{run}_rollouts_{shard}.jsonl`, one line a rollout, as token ids.

open-instruct (allenai/open-instruct, `open_instruct/rl_utils.py`, `RolloutRecord`) writes them with
`--save_traces`. Prompts are ids of tokens, so that the model's tokenizer is needed to read them.
`prompt_idx` counts the prompts of a step. Its rewards are often 10 for a correct answer
(`verification_reward`): then `correct_above` is needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import reader
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*_rollouts_*.jsonl*"
check = reader.check


class Options(reader.Options):
    """Keys of an entry of `trajectories`."""

    tokenizer: str | None = key(
        None,
        "The model's `tokenizer.json`, or the folder that holds it, on this machine; nothing is "
        "downloaded.",
    )


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key of an expanded row; None where this is no such log."""
    if not sample.has("prompt_tokens", "response_tokens", "reward", "step", "prompt_idx"):
        return None
    return {
        "prompt": "prompt",
        "response": "response",
        "reward": options["reward"] or "reward",
        "step": "step",
        "group": "group",
    }


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes a rollout of a line.

    Raises:
        InputError: no tokenizer was given, or it cannot be read.
    """
    path = options["tokenizer"]
    if path is None:
        raise InputError(
            f"{sample.file.name}: its prompts are ids of tokens. Give the model's tokenizer, a "
            "local tokenizer.json or the folder that holds it: `tokenizer: PATH`."
        )
    decode = _decoder(Path(path).expanduser())

    @cache
    def prompt(tokens: tuple[int, ...]) -> str:
        return str(decode(list(tokens)))

    def rollout(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        yield {
            **line,
            "prompt": prompt(tuple(line["prompt_tokens"])),
            "response": decode(line["response_tokens"]),
            "group": f"{line['step']}-{line['prompt_idx']}",
        }

    return rollout


def _decoder(path: Path) -> Any:
    """Return what makes a text of ids of tokens, special tokens left out."""
    try:  # an environment that only counts need not have it
        tokenizers = importlib.import_module("tokenizers")
    except ImportError:
        raise InputError(
            "the format open-instruct holds ids of tokens: its reading needs the package "
            "tokenizers, which comes with transformers."
        ) from None
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"tokenizer: {file}: there is no such file.")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # noqa: BLE001 - the library raises plain exceptions
        raise InputError(f"tokenizer: {file}: not a tokenizer.json ({error}).") from None
    return tokenizer.decode


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of rollouts; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "open-instruct")
