"""How many parameters a model has, from its config.json or, without a folder, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError


@dataclass(frozen=True)
class Size:
    """A model's number of parameters; `source` says where it is from."""

    parameters: int
    source: str


# The shapes in the config.json of huggingface.co/Qwen/<name>; -Instruct models have the same.
_KEYS = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
    *("intermediate_size", "vocab_size", "tie_word_embeddings"),
)
KNOWN = {
    "Qwen2.5-0.5B": (896, 24, 14, 2, 4864, 151936, True),
    "Qwen2.5-1.5B": (1536, 28, 12, 2, 8960, 151936, True),
    "Qwen2.5-Math-1.5B": (1536, 28, 12, 2, 8960, 151936, True),
    "Qwen2.5-3B": (2048, 36, 16, 2, 11008, 151936, True),
    "Qwen2.5-7B": (3584, 28, 28, 4, 18944, 152064, False),
    "Qwen2.5-Math-7B": (3584, 28, 28, 4, 18944, 152064, False),
    "Qwen2.5-14B": (5120, 48, 40, 8, 13824, 152064, False),
    "Qwen2.5-32B": (5120, 64, 40, 8, 27648, 152064, False),
}


def size(base: Mapping[str, Any], given: float | None = None) -> Size:
    """Return the size of a study's base model: what the user gives, its folder's, or a known one.

    Raises InputError where none of these is there.
    """
    if given is not None:
        return Size(round(given), "--parameters")
    name = str(base.get("model", ""))
    config = Path(name) / "config.json"
    if config.is_file():
        return Size(count(files.read_json(config), str(config)), str(config))
    known = KNOWN.get(name.rstrip("/").rsplit("/", 1)[-1].removesuffix("-Instruct"))
    if known is not None:
        shape = {"model_type": "qwen2", **dict(zip(_KEYS, known, strict=True))}
        return Size(count(shape, name), f"the shape of {name}")
    raise InputError(
        f"base.model: '{name}' is no folder here and no model of the table "
        f"({', '.join(KNOWN)}). Give its size: --parameters 7.6e9."
    )


def count(config: Mapping[str, Any], where: str) -> int:
    """Return the parameters of a dense decoder of the Qwen2 or Llama family, from its config.json.

    `where` is its file, for the message. Another family is refused.
    """
    family = config.get("model_type")
    if family not in ("qwen2", "qwen3", "llama", "mistral"):
        raise InputError(
            f"{where}: the size of a '{family}' model cannot be told from its shape. Give it: "
            "--parameters 7.6e9."
        )
    try:
        hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
        heads, inner = int(config["num_attention_heads"]), int(config["intermediate_size"])
        vocabulary = int(config["vocab_size"])
    except KeyError as error:
        raise InputError(f"{where}: {error} is missing. Give the size: --parameters.") from None
    head = int(config.get("head_dim") or hidden // heads)
    keys = head * int(config.get("num_key_value_heads") or heads)
    queries = head * heads
    attention = 2 * hidden * queries + 2 * hidden * keys
    if family == "qwen2":
        attention += queries + 2 * keys  # biases
    if family == "qwen3":
        attention += 2 * head  # norms of queries and keys
    block = attention + 3 * hidden * inner + 2 * hidden
    embeddings = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return layers * block + embeddings + hidden
