"""A model folder brought into a study: copied, checked, with its prompt template."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError, IntegrityError
from limr.core.job_log import note
from limr.core.provenance import digest
from limr.models import prompt_templates
from limr.models.interface import BaseJob, Settings
from limr.sources import mirror

RECORD = "limr.json"  # in the policy's folder: its template, where it is from, its files' sha256
# No pickled weights and no code: a model folder is data.
FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def make_base(job: BaseJob) -> None:
    """Write the base policy: a copy of the model's files and a record.

    Raises InputError where there is no such model or it is not complete, IntegrityError where it is
    not the one that `base.sha256` pins.
    """
    source = resolve(job.base)
    with files.atomic(job.policy) as temporary:
        temporary.mkdir()
        for path in files_of(source):
            shutil.copyfile(path, temporary / path.name)
        sha256 = {path.name: files.sha256(path) for path in sorted(temporary.iterdir())}
        check_digest(job.base, digest(sha256))
        if job.base["revision"] and source == mirror.mirrored_model(*check_pin(job.base)):
            mirror.check_model(source, sha256)
        record = {
            "template": job.base["template"],
            "hub": job.base["model"] if job.base["revision"] else None,
            "revision": job.base["revision"],
            "sha256": sha256,
        }
        files.write_json(temporary / RECORD, record)


def check_digest(base: Settings, found: str) -> None:
    """Refuse another model than the pinned one; where none is pinned, log the model's digest."""
    if base["sha256"] is None:
        note(f"base.sha256 is not set; this pins the model: {found}")
    elif base["sha256"] != found:
        raise IntegrityError(
            f"base.model: '{base['model']}' has the digest {found}, base.sha256 is "
            f"{base['sha256']}. Get the model that was pinned, or pin this one."
        )


def resolve(base: Settings) -> Path:
    """Return the folder of the configured model; with a revision the mirror's, or downloaded."""
    name, revision = str(base["model"]), base["revision"]
    if revision is None:
        if not Path(name).is_dir():
            raise InputError(
                f"base.model: there is no folder '{name}'. Give the folder of a Hugging Face "
                "model; for a model on the hub add 'revision: COMMIT', 40 hexadecimal digits."
            )
        return Path(name)
    pin = check_pin(base)
    return mirror.mirrored_model(*pin) or _download(*pin)


def check_pin(base: Settings) -> tuple[str, str]:
    """Return a model's name on the hub and its commit; refuse what cannot be one."""
    name, revision = str(base["model"]), str(base["revision"])
    if not _COMMIT.fullmatch(revision):
        raise InputError(
            f"base.revision: '{revision}' is not a commit of 40 hexadecimal digits. A branch or a "
            "tag can move: give the commit that it points to now."
        )
    if not _HUB_NAME.fullmatch(name):
        raise InputError(
            f"base.model: '{name}' is no name on the hub, such as Qwen/Qwen2.5-Math-7B. Leave out "
            "'revision' if it is a folder."
        )
    return name, revision


def _download(name: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(FILES)))
    except (OSError, ValueError) as error:  # the client's own errors are one or the other
        raise InputError(
            f"base.model: could not download '{name}' at {revision} ({error}). Check the name and "
            "the network, bring it into a mirror (docs/air-gapped.md), or give the folder of a "
            "copy and leave out 'revision'."
        ) from None


def files_of(folder: Path) -> list[Path]:
    """Return the files of a model folder that a study needs; refuse an incomplete folder."""
    found = sorted({path for pattern in FILES for path in folder.glob(pattern) if path.is_file()})
    wanted = {
        "config.json": "configuration",
        "*.safetensors": "weights as safetensors",
        "tokenizer*": "tokenizer",
    }
    for pattern, what in wanted.items():
        if not any(path.match(pattern) for path in found):
            raise InputError(
                f"{folder}: not a complete model folder: no {what} ({pattern}). Save model and "
                "tokenizer with transformers' save_pretrained into one folder, and give that."
            )
    return found


def template_of(folder: Path, options: Settings, engine: str = "huggingface") -> str:
    """Return the name of a policy's template: the options' `template`, else the folder's.

    `engine` is the name of the options under `engines`, for the message. Raises InputError where
    neither names one, or there is none of that name.
    """
    chosen: Any = options["template"]
    if chosen is None and (folder / RECORD).is_file():
        chosen = files.read_json(folder / RECORD).get("template")
    if chosen is None:
        raise InputError(
            f"{folder}: its template is not known, since the folder has no {RECORD}. Set "
            f"engines.{engine}.template to one of {', '.join(prompt_templates.NAMES)}."
        )
    prompt_templates.find(chosen)
    return str(chosen)
