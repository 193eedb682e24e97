"""The agent class that OpenRLHF loads by this file's path: one response, judged and recorded.

It runs inside vLLM's Ray actors. `--train.agent_func_path` names this file.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections import Counter
from typing import Any

import msgspec
from openrlhf.utils.agent import SingleTurnAgentExecutor

from limr.train.openrlhf import filtering
from limr.train.openrlhf import task as tasks
from limr.train.openrlhf.reward import Judge


class AgentExecutor(SingleTurnAgentExecutor):  # type: ignore[misc]
    """Draws one response as OpenRLHF does, then grades it and writes it down."""

    def __init__(self) -> None:
        super().__init__()
        self.task = tasks.read()
        self.judge = Judge(self.task.grader)
        self.drawn: Counter[tuple[int, str]] = Counter()
        folder = self.task.rollouts()
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}.jsonl"
        self.file = (folder / name).open("a", encoding="utf-8", buffering=1)

    async def execute(
        self,
        prompt: str,
        label: str,
        sampling_params: Any,
        max_length: int,
        hf_tokenizer: Any,
        llm_engine: Any,
        images: Any = None,
    ) -> dict[str, Any]:
        """Return OpenRLHF's record of one response, with its reward."""
        asked = json.loads(label)
        sample = self._number(asked)
        started = time.time()
        # A copy, as all responses share the parameters; they are checked when they are made.
        ends = msgspec.structs.replace(
            sampling_params,
            stop=list(self.task.stops),
            stop_token_ids=list(self.task.ends),
            skip_special_tokens=True,  # a stop text is sought in the text that is graded
        )
        output: dict[str, Any] = await super().execute(
            prompt, label, ends, max_length, hf_tokenizer, llm_engine, images
        )
        first, last = output["action_ranges"][0]
        text = self._text(output["observation_tokens"][first:last], hf_tokenizer)
        truncated = bool(output["truncated"])
        grade = await asyncio.wrap_future(
            self.judge.ask(asked["answer"], text, truncated=truncated, prompt=prompt)
        )
        reward = self.task.pay(asked["problem_id"], asked["step"], sample, grade.verdict)
        row = {
            "problem_id": asked["problem_id"],
            "step": asked["step"],
            "sample": sample,
            "reward": reward,
            "verdict": grade.verdict,
            "format": grade.format,
            "reason": grade.reason,
            "response_tokens": last - first,
            "prompt_tokens": first,
            "truncated": truncated,
            "response": text,
            "kept_anyway": bool(asked.get("kept_anyway")),
            "started": started,
            "ended": time.time(),
        }
        self.file.write(json.dumps(row) + "\n")
        shares = {"correct": grade.verdict == "correct", "malformed": grade.verdict == "malformed"}
        output["reward"] = output["scores"] = reward
        if self.task.tries is not None:  # what the trainer filters groups by
            right = float(grade.verdict == "correct")
            output["scores"] = filtering.KEPT_ANYWAY if row["kept_anyway"] else right
        output["extra_logs"] = {name: float(share) for name, share in shares.items()}
        return output

    def _number(self, asked: dict[str, Any]) -> int:
        """Return the sample's number: all samples of a prompt are drawn by one process."""
        key = (int(asked["step"]), str(asked["problem_id"]))
        self.drawn[key] += 1
        return self.drawn[key] - 1

    def _text(self, ids: Any, tokenizer: Any) -> str:
        """Return a response without its end token, cut before the first stop text."""
        written = list(ids)
        if written and written[-1] in {*self.task.ends, tokenizer.eos_token_id}:
            written.pop()
        text = str(
            tokenizer.decode(written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        places = [place for stop in self.task.stops if (place := text.find(stop)) >= 0]
        return text[: min(places, default=None)]
