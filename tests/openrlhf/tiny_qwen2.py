"""A tiny Qwen2 with one token a byte, for real trainers on a CPU: head_dim 64, as vLLM wants.

It has learnt to box a small number, right or wrong, and to end mostly: rewards then differ.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from limr.models import prompt_templates

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
STEPS = 120


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


def _teach(model: Qwen2ForCausalLM, words: PreTrainedTokenizerFast) -> None:
    """Some steps on boxed numbers under 20."""
    numbers = random.Random(4)  # noqa: S311 (no secret)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        rows, marks = [], []
        for _ in range(8):
            asked = f"{numbers.randrange(10):2}+{numbers.randrange(10):2}=?"
            prompt = words.encode(prompt_templates.render("qwen-boxed", asked, words))
            target = words.encode(f"\\boxed{{{numbers.randrange(10, 20)}}}<|im_end|>")
            rows.append(prompt + target)
            marks.append([-100] * len(prompt) + target)
        loss = model(input_ids=torch.tensor(rows), labels=torch.tensor(marks)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def make(folder: Path) -> None:
    """Write the model folder."""
    torch.manual_seed(3)
    words = tokenizer()
    config = Qwen2Config(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        eos_token_id=words.convert_tokens_to_ids("<|endoftext|>"),
        bos_token_id=None,
    )
    model = Qwen2ForCausalLM(config)
    _teach(model, words)
    model.to(torch.bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
