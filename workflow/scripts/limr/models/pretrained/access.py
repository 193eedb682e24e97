"""Is the base model available? Checked before any job; nothing is downloaded."""

from __future__ import annotations

import os
from pathlib import Path

from limr.core import files
from limr.core.errors import InputError
from limr.models.interface import Settings
from limr.models.pretrained import folders
from limr.sources import mirror

_SECONDS = 15.0


def check(base: Settings) -> str:
    """Refuse a base that cannot be had; return a line that says where it is.

    Refused are an incomplete folder, and a model that is neither in the cache of the Hugging Face
    hub nor on the hub, as far as that can be reached from here.
    """
    name, revision = str(base["model"]), base["revision"]
    if revision is None:
        folder = folders.resolve(base)
        folders.files_of(folder)
        _check_weights(folder)
        return f"model: the folder {name} is complete"
    folders.check_pin(base)
    if mirror.mirrored_model(name, revision) is not None:
        return f"model: {name} is in the mirror"
    if _cached(name, revision):
        return f"model: {name} is in the cache of the Hugging Face hub"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise InputError(
            f"base.model: HF_HUB_OFFLINE is set, and '{name}' at {revision} is not in the cache. "
            "Bring it in with `limr fetch` where there is a network, or unset the variable."
        )
    _ask_hub(name, revision)
    return f"model: {name} is on the hub"


def _check_weights(folder: Path) -> None:
    """Refuse a folder that lacks a file of weights that its index names."""
    for index in sorted(folder.glob("*.safetensors.index.json")):
        try:
            named = set(files.read_json(index)["weight_map"].values())
        except (InputError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{index}: not an index of weights ({error}).") from None
        absent = sorted(str(one) for one in named if not (folder / Path(str(one)).name).is_file())
        if absent:
            raise InputError(
                f"{folder}: {index.name} names {len(absent)} files that are not there, such as "
                f"{absent[0]}. Copy the folder again."
            )


def _cached(name: str, revision: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str)


def _ask_hub(name: str, revision: str) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(name, revision=revision, timeout=_SECONDS)
    except HfHubHTTPError as error:
        raise InputError(
            f"base.model: the hub refuses '{name}' at {revision} ({error}). Check the name and the "
            "commit; a gated model wants a token: hf auth login, or HF_TOKEN."
        ) from None
    except Exception as error:  # noqa: BLE001 (any failure of the network, by several libraries)
        raise InputError(
            f"base.model: the hub cannot be reached for '{name}' ({type(error).__name__}: "
            f"{error}). Without a network bring the model in with `limr fetch`, or give the folder "
            "of a copy."
        ) from None
