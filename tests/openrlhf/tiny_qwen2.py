"""A tiny Qwen2 with one token a byte, for real trainers on a CPU: head_dim 64, as vLLM wants."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and the markup of Qwen's chats."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    found = Tokenizer(models.BPE({token: i for i, token in enumerate(alphabet)}, []))
    found.add_special_tokens(list(SPECIAL))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    found.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=found, **dict.fromkeys(("eos_token", "pad_token"), SPECIAL[0])
    )


def make(folder: Path, seed: int = 3) -> None:
    """Write the model folder: random weights, the same for the same seed."""
    torch.manual_seed(seed)
    words = tokenizer()
    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        eos_token_id=words.convert_tokens_to_ids("<|endoftext|>"),
        bos_token_id=None,
        dtype="bfloat16",
    )
    model = Qwen2ForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    words.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
