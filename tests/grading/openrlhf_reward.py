"""Run in .venv-openrlhf: OpenRLHF's own executor asks the documented file for rewards."""

import asyncio
from types import SimpleNamespace

import torch
from openrlhf.utils.agent import SingleTurnAgentExecutor


class Characters:
    """A tokenizer of one token a character, as far as the executor asks for one."""

    def __call__(self, text, **_):
        return {"input_ids": torch.tensor([[ord(character) for character in text]])}

    def decode(self, tokens, **_):
        return "".join(map(chr, tokens))


def rewards(file, cases):
    """Return [reward, scores, logs] of each [prompt, response, label]."""
    executor = SingleTurnAgentExecutor(file)
    sampling = SimpleNamespace(max_tokens=100, logprobs=None)
    found = []
    for prompt, response, label in cases:
        said = SimpleNamespace(token_ids=list(map(ord, response)), finish_reason="stop")

        async def generate(*_, said=said, **__):
            return SimpleNamespace(outputs=[said])

        engine = SimpleNamespace(generate=generate)
        output = asyncio.run(executor.execute(prompt, label, sampling, 1000, Characters(), engine))
        reward, scores = output["reward"], output["scores"]
        logs = {name: value.tolist() for name, value in output["extra_logs"].items()}
        found.append([value if value is None else value.tolist() for value in (reward, scores)])
        found[-1].append(logs)
    return found
