"""The embedded engine needs no GPU; the states that its runs keep take room on the disk."""

from __future__ import annotations

from limr.plan import models
from limr.problems import arithmetic
from limr.study.study import Study

# Policy and critic as 32-bit numbers, and two moments of each. They share a shape but for the head.
BYTES_PER_PARAMETER = 24


def state_bytes(study: Study) -> float:
    """Return the bytes of one state that other runs start from."""
    base = study.config["base"]
    shape = {
        "model_type": "qwen2",
        "hidden_size": base["hidden"],
        "num_hidden_layers": base["layers"],
        "num_attention_heads": base["heads"],
        "num_key_value_heads": base["key_value_heads"],
        "intermediate_size": base["intermediate"],
        "vocab_size": len(arithmetic.TOKENS) + 1,
        "tie_word_embeddings": True,
    }
    return float(BYTES_PER_PARAMETER * models.count(shape, "base"))
