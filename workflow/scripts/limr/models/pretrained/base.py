"""What engines of pretrained models share as plug-ins: options, and where the base comes from."""

from __future__ import annotations

from typing import Any

from limr.models import prompt_templates
from limr.models.interface import BaseJob, Settings

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model"],
    "properties": {
        "model": {
            "type": "string",
            "minLength": 1,
            "description": "Folder of the model (config.json, safetensors, tokenizer), which is "
            "copied; with `revision` its name on the Hugging Face hub.",
        },
        "revision": {
            "type": ["string", "null"],
            "default": None,
            "description": "Commit on the hub, 40 hexadecimal digits.",
        },
        "sha256": {
            "type": ["string", "null"],
            "default": None,
            "description": "Digest of the model's files, as the log of make_base says it; other "
            "files are refused.",
        },
        "template": {
            "enum": [*prompt_templates.NAMES],
            "default": "qwen-boxed",
            "description": f"Prompt template: {prompt_templates.DESCRIPTION}.",
        },
    },
}

# Options of the engines that generate from such a model.
ASKING: dict[str, Any] = {
    "template": {
        "enum": [None, *prompt_templates.NAMES],
        "default": None,
        "description": "Prompt template for policies whose folder names none, or instead of "
        "the named one (`base.template`).",
    },
    "stop": {
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "string", "minLength": 1},
        "default": [],
        "description": "Texts that end a response beside the end token; they are cut off.",
    },
}


def find_base(base: Settings) -> str:
    """Refuse a base model that cannot be had; return a line that says where it is."""
    from limr.models.pretrained import access

    return access.check(base)


def make_base(job: BaseJob) -> None:
    """Copy the model into the study; nothing is learnt, so that nothing is held out."""
    from limr.models.pretrained import folders

    folders.make_base(job)
