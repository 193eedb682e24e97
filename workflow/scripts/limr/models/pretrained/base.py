"""What engines of pretrained models share as plug-ins: options, and where the base comes from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from limr.core.validation import EACH_ONCE, Keys, OneOf, key
from limr.models import prompt_templates
from limr.models.interface import BaseJob, Settings


class Base(Keys):
    """Keys of `base` where it is a pretrained model."""

    model: str = key(
        ...,
        "Folder of the model (config.json, safetensors, tokenizer), which is copied; with "
        "`revision` its name on the Hugging Face hub.",
        min_length=1,
    )
    revision: str | None = key(None, "Commit on the hub, 40 hexadecimal digits.")
    sha256: str | None = key(
        None,
        "Digest of the model's files, as the log of make_base says it; other files are refused.",
    )
    template: Annotated[str, OneOf(prompt_templates.NAMES)] = key(
        "qwen-boxed", f"Prompt template: {prompt_templates.DESCRIPTION}."
    )


# Options of the engines that generate from such a model.
Template = Annotated[
    str | None,
    OneOf((None, *prompt_templates.NAMES)),
    Field(
        description="Prompt template for policies whose folder names none, or instead of the named "
        "one (`base.template`)."
    ),
]
Texts = Annotated[list[Annotated[str, Field(min_length=1)]], EACH_ONCE]
StopTexts = Annotated[
    Texts,
    Field(description="Texts that end a response beside the end token; they are cut off."),
]


def find_base(base: Settings) -> str:
    """Refuse a base model that cannot be had; return a line that says where it is."""
    from limr.models.pretrained import access

    return access.check(base)


def make_base(job: BaseJob) -> None:
    """Copy the model into the study; nothing is learnt, so that nothing is held out."""
    from limr.models.pretrained import folders

    folders.make_base(job)
