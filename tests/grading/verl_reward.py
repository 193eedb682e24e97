"""Run in .venv-openrlhf: verl's own reward manager asks the documented file for rewards."""

import asyncio
from pathlib import Path

import numpy as np
import torch
import verl
from omegaconf import OmegaConf
from verl.experimental.reward_loop.reward_loop import migrate_legacy_reward_impl
from verl.trainer.ppo.reward import load_reward_manager

CONFIG = Path(verl.__file__).parent / "trainer/config/_generated_ppo_trainer.yaml"
PROMPT = "What is it? "


class Characters:
    """A tokenizer whose tokens are characters; 0 pads."""

    def decode(self, ids, *, skip_special_tokens):
        return "".join(chr(one) for one in ids.tolist() if one or not skip_special_tokens)


def batch(response, gold):
    """Return one response as verl's rollout hands it over, padded on both sides."""
    prompt, answer = [0, 0, *map(ord, PROMPT)], [*map(ord, response), 0, 0, 0]
    return verl.DataProto.from_dict(
        tensors={
            "prompts": torch.tensor([prompt]),
            "responses": torch.tensor([answer]),
            "attention_mask": torch.tensor([[int(one > 0) for one in [*prompt, *answer]]]),
        },
        non_tensors={
            "data_source": np.array(["math"], dtype=object),
            "reward_model": np.array([{"ground_truth": gold}], dtype=object),
            "extra_info": np.array([{"index": 0}], dtype=object),
        },
    )


def rewards(words, cases):
    """Return what the manager gives the trainer for each [response, gold answer].

    Each word sets a key of verl's own configuration.
    """
    config = OmegaConf.merge(OmegaConf.load(CONFIG), OmegaConf.from_dotlist(words))
    asyncio.set_event_loop(asyncio.new_event_loop())
    manager = load_reward_manager(migrate_legacy_reward_impl(config), Characters())

    async def asked():
        return [await manager.run_single(batch(*case)) for case in cases]

    return manager.loop.run_until_complete(asked())
