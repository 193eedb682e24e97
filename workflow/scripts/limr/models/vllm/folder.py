"""A policy folder, checked before vLLM loads it, which takes minutes of a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.models import prompt_templates
from limr.models.interface import Settings
from limr.models.pretrained import folders, responses
from limr.models.pretrained.responses import Reader
from limr.models.prompt_templates import Tokenizer

NAME = "vllm"


@dataclass(frozen=True)
class Folder:
    """A policy folder that can be prompted: its template, tokenizer, end tokens and positions."""

    path: Path
    template: str
    tokenizer: Tokenizer
    reader: Reader
    positions: int  # most tokens of a prompt and its response together
    heads: int  # attention heads

    def encode(self, prompts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each prompt in its template."""
        return prompt_templates.encode(self.template, prompts, self.tokenizer)

    def digest(self) -> dict[str, str]:
        """Return the sha256 of each file that a response depends on."""
        return {path.name: files.sha256(path) for path in folders.files_of(self.path)}


def read(path: Path, options: Settings) -> Folder:
    """Read a policy folder without its weights; nothing is downloaded or executed.

    Raises InputError where it is missing or incomplete, cannot write its template, or has no end
    token.
    """
    if not path.is_dir():
        raise InputError(
            f"{path}: there is no such model folder. The rule that makes it has not run, or the "
            "folder was deleted: run the study again."
        )
    folders.files_of(path)
    template = folders.template_of(path, options, NAME)
    try:
        config: Any = AutoConfig.from_pretrained(path, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        has_generation = (path / "generation_config.json").is_file()
        generation = GenerationConfig.from_pretrained(path) if has_generation else None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: not a readable model folder ({error}). Delete it and run again: the rule "
            "that makes it will write it anew."
        ) from None
    prompt_templates.check(template, tokenizer, str(path))
    ends = responses.end_ids(path, tokenizer, template, (generation, config))
    text = config.get_text_config()
    reader = Reader(tokenizer, ends, (*prompt_templates.find(template).stops, *options["stop"]))
    positions, limit = getattr(text, "max_position_embeddings", None), options["max_model_len"]
    room = [number for number in (positions, limit) if number is not None]
    if not room:
        raise InputError(
            f"{path}: config.json does not say how many positions the model has. Set "
            "engines.vllm.max_model_len."
        )
    return Folder(path, template, tokenizer, reader, min(room), int(text.num_attention_heads))


def check_devices(folder: Folder, tensor_parallel: int, devices: int | None) -> None:
    """Refuse too few GPUs, and a number that does not divide the model's attention heads.

    `devices` are the GPUs that this process sees; None for vLLM's build for CPUs.
    """
    key = f"engines.vllm.tensor_parallel = {tensor_parallel}"
    if folder.heads % tensor_parallel:
        possible = [str(n) for n in range(1, folder.heads + 1) if folder.heads % n == 0]
        raise InputError(
            f"{key} does not divide the {folder.heads} attention heads of {folder.path}. "
            f"Possible: {', '.join(possible)}."
        )
    if devices is None:
        if tensor_parallel > 1:
            raise InputError(f"{key}, but this is vLLM's build for CPUs: set it to 1.")
        return
    if devices < tensor_parallel:
        raise InputError(
            f"{key}, but {devices} GPUs are visible here. Ask the scheduler for "
            f"{tensor_parallel} (and look at CUDA_VISIBLE_DEVICES), or lower it."
        )
    if devices > tensor_parallel:
        note(f"{devices} GPUs are visible and {tensor_parallel} are used ({key}).")
