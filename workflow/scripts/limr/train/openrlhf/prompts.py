"""What a run reads: prompts in their template, solutions, and the tokens that end a response.

Everything that a tokenizer can show to be wrong is refused here, before Ray and the GPUs are busy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.models import prompt_templates
from limr.models.interface import Settings
from limr.models.pretrained import folders
from limr.models.prompt_templates import Tokenizer

_SHOWN = 5


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a model folder.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: its tokenizer cannot be read ({error}).") from None


def template_of(folder: Path, tokenizer: Tokenizer) -> str:
    """Return the template that the base policy is asked with, after checking it.

    Raises:
        InputError: the folder names none, or the tokenizer cannot write it.
    """
    name = folders.template_of(folder, {"template": None})
    prompt_templates.check(name, tokenizer, str(folder))
    return name


def end_ids(folder: Path, tokenizer: Tokenizer, template: str) -> list[int]:
    """Return every token that ends a response: the model's, its tokenizer's, the template's.

    Raises:
        InputError: there is none.
    """
    found: list[Any] = [tokenizer.eos_token_id]
    for name in ("generation_config.json", "config.json"):
        if (folder / name).is_file():
            ids = files.read_json(folder / name).get("eos_token_id")
            found.extend(ids if isinstance(ids, Iterable) else [ids])
    found.extend(
        prompt_templates.single_token(tokenizer, text)
        for text in prompt_templates.find(template).ends
    )
    ids = sorted({int(number) for number in found if number is not None})
    if not ids or tokenizer.eos_token_id is None:
        raise InputError(
            f"{folder}: the tokenizer has no end token, and OpenRLHF needs one. Set eos_token in "
            "its tokenizer_config.json."
        )
    return ids


def rendered(
    problems: Sequence[Problem], template: str, tokenizer: Tokenizer, limit: int | None, arm: str
) -> list[str]:
    """Return each problem's prompt as the model reads it.

    Raises:
        InputError: prompts longer than `limit` tokens (how many, and whose), or a tokenizer that
            opens a text with a token of its own, which OpenRLHF does not add.
    """
    texts = [prompt_templates.render(template, problem.prompt, tokenizer) for problem in problems]
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    if prompt_templates.find(template).opens and texts:
        opened = tokenizer.encode(texts[0], add_special_tokens=True)
        if list(opened) != list(encoded[0]):
            raise InputError(
                f"template '{template}': this tokenizer puts a token of its own before a text, and "
                "OpenRLHF does not. Take template 'chat-boxed' or 'qwen-boxed'."
            )
    if limit is not None:
        pairs = zip(problems, encoded, strict=True)
        long = [problem.problem_id for problem, ids in pairs if len(ids) > limit]
        if long:
            raise InputError(
                f"arm '{arm}': {len(long)} prompts are longer than ppo.max_prompt_tokens = "
                f"{limit}: {', '.join(long[:_SHOWN])}{', …' if len(long) > _SHOWN else ''}. Raise "
                "the limit or leave them out of the problem set."
            )
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
    problems: Sequence[Problem],
    solutions: Mapping[str, str],
    texts: Sequence[str],
    tokenizer: Tokenizer,
    own: Settings,
    arm: str,
) -> tuple[list[dict[str, str]], list[str]]:
    """Return prompts with their solutions, and the ids that were left out as too long.

    Args:
        problems: of the arm.
        solutions: problem_id -> worked solution.
        texts: each problem's prompt in its template.
        tokenizer: of the model; its end token closes a solution.
        own: the study's `engines.openrlhf.sft`.
        arm: for messages.

    Raises:
        InputError: no solution, or one that is too long where that is refused.
    """
    missing = [p.problem_id for p in problems if not solutions.get(p.problem_id, "").strip()]
    if missing:
        raise InputError(
            f"arm '{arm}': {len(missing)} problems have no worked solution to learn from, the "
            f"first is '{missing[0]}'. Train it by PPO, or give it problems with solutions."
        )
    rows, long = [], []
    for problem, text in zip(problems, texts, strict=True):
        # Trailing line ends would be taken off by the trainer, before the end token is looked for.
        response = solutions[problem.problem_id].rstrip("\n") + tokenizer.eos_token
        length = len(tokenizer.encode(text + response, add_special_tokens=False))
        if length > own["max_tokens"]:
            long.append(problem.problem_id)
        else:
            rows.append({"prompt": text, "response": response})
    if long and (own["too_long"] == "refuse" or not rows):
        raise InputError(
            f"arm '{arm}': {len(long)} of {len(problems)} solutions are longer than "
            f"engines.openrlhf.sft.max_tokens = {own['max_tokens']}: {', '.join(long[:_SHOWN])}"
            f"{', …' if len(long) > _SHOWN else ''}. Raise it, or set too_long: leave-out."
        )
    return rows, long


def model_with_positions(base: Path, folder: Path, wanted: int, *, may_raise: bool) -> Path:
    """Return a model folder with room for `wanted` positions: the base, or links and a new config.

    Raises:
        InputError: the model has fewer positions, and they may not be raised.
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
    folder.mkdir(parents=True, exist_ok=True)
    for path in base.iterdir():
        target = folder / path.name
        target.unlink(missing_ok=True)
        if path.name != "config.json":
            target.symlink_to(path.resolve())
    files.write_json(folder / "config.json", {**config, "max_position_embeddings": wanted})
    return folder
