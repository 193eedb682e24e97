"""What a run reads: prompts in their template, solutions, and the tokens that end a response.

Whatever a tokenizer can show to be wrong is refused here, before Ray and the GPUs are busy: every
function raises an InputError for it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.models import prompt_templates
from limr.models.interface import SftJob, TrainJob
from limr.models.pretrained import folders, responses
from limr.models.prompt_templates import Tokenizer
from limr.train import runs


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a model folder; refuse a folder without a readable one."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: its tokenizer cannot be read ({error}).") from None


def template_of(folder: Path, tokenizer: Tokenizer) -> str:
    """Return the template of the base policy; refuse one that the tokenizer cannot write."""
    name = folders.template_of(folder, {"template": None})
    prompt_templates.check(name, tokenizer, str(folder))
    return name


def end_ids(folder: Path, tokenizer: Tokenizer, template: str) -> list[int]:
    """Return every token that ends a response; see `limr.models.pretrained.responses.end_ids`."""
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"{folder}: the tokenizer has no end token, and OpenRLHF needs one. Set eos_token in "
            "its tokenizer_config.json."
        )
    paths = (folder / name for name in ("generation_config.json", "config.json"))
    configs = [SimpleNamespace(**files.read_json(path)) for path in paths if path.is_file()]
    return sorted(responses.end_ids(folder, tokenizer, template, configs))


def rendered(job: TrainJob, template: str, tokenizer: Tokenizer, limit: int | None) -> list[str]:
    """Return each problem's prompt as the model reads it.

    Refused are prompts longer than `limit` tokens, and a tokenizer that opens a text with a token
    of its own, which OpenRLHF does not add.
    """
    texts = [
        prompt_templates.render(template, problem.prompt, tokenizer) for problem in job.problems
    ]
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    if prompt_templates.find(template).opens and texts:
        opened = tokenizer.encode(texts[0], add_special_tokens=True)
        if list(opened) != list(encoded[0]):
            raise InputError(
                f"template '{template}': this tokenizer puts a token of its own before a text, and "
                "OpenRLHF does not. Take template 'chat-boxed' or 'qwen-boxed'."
            )
    if limit is not None:
        runs.check_lengths(job, encoded, limit)
    return texts


def write_prompts(path: Path, problems: Sequence[Problem], texts: Sequence[str]) -> None:
    """Write what the trainer reads: a prompt and a label, which is JSON, on each line."""
    rows = [
        {
            "prompt": text,
            "label": json.dumps({"problem_id": problem.problem_id, "answer": problem.answer}),
        }
        for problem, text in zip(problems, texts, strict=True)
    ]
    files.write_jsonl(path, rows)


def with_solutions(
    job: SftJob, texts: Sequence[str], tokenizer: Tokenizer
) -> tuple[list[dict[str, str]], list[str]]:
    """Return prompts with their solutions, and the ids of problems whose solution is too long.

    `texts` are the prompts in their template, `own` is the study's `engines.openrlhf.sft`. A
    problem without a solution is refused, and so is a long solution where `too_long` says so.
    """
    own = job.options["sft"]
    runs.check_solutions(job)
    rows, long = [], []
    for problem, text in zip(job.problems, texts, strict=True):
        # The trainer removes trailing line ends before it looks for the end token.
        response = job.solutions[problem.problem_id].rstrip("\n") + tokenizer.eos_token
        length = len(tokenizer.encode(text + response, add_special_tokens=False))
        if length > own["max_tokens"]:
            long.append(problem.problem_id)
        else:
            rows.append({"prompt": text, "response": response})
    if long and (own["too_long"] == "refuse" or not rows):
        raise InputError(
            f"arm '{job.arm}': {len(long)} of {len(job.problems)} solutions are longer than "
            f"engines.openrlhf.sft.max_tokens = {own['max_tokens']}: {runs.some(long)}. Raise it, "
            "or set too_long: leave-out."
        )
    return rows, long


def model_with_positions(base: Path, folder: Path, wanted: int, *, may_raise: bool) -> Path:
    """Return a model folder with `wanted` positions: the base, or links to it and a new config.

    A model with fewer positions is refused where they may not be raised.
    """
    config = files.read_json(base / "config.json")
    positions = config.get("max_position_embeddings")
    if positions is None or positions >= wanted:
        return base
    if not may_raise:
        raise InputError(
            f"{base}: the model has {positions} positions; ppo.max_prompt_tokens + "
            f"max_response_tokens = {wanted}. Lower them."
        )
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier attempt
    folder.mkdir(parents=True)
    for path in base.iterdir():
        if path.name != "config.json":
            (folder / path.name).symlink_to(path.resolve())
    files.write_json(folder / "config.json", {**config, "max_position_embeddings": wanted})
    return folder
