"""NeMo-RL's training data: `train_data_step{N}.jsonl`, one line a rollout.

NeMo-RL (NVIDIA-NeMo/RL, `nemo_rl/algorithms/grpo.py`, `log_batched_dict_as_jsonl`) writes
`content`, the messages of a rollout as a list of texts without roles (in validation: as messages),
inside a list of one, as `rewards` is. The step is in the file's name only. With dynamic sampling
`rewards` are those of the batch before it was filtered and do not belong to the line's text;
`filtered_rewards` do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import reader
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "train_data_step*.jsonl*"
check = reader.check
# A message of its own with the system prompt, as chat templates begin it.
_SYSTEM = re.compile(r"^\W*(begin_of_text\W*)?(im_start|start_header_id|system)\W*(system)?", re.I)
_USER = re.compile(r"(im_start|start_header_id)\W*user|<\|user\|>|\[INST\]", re.I)
_FEW = 2  # messages of a plain rollout: the prompt and the response


class Options(reader.Options):
    """Keys of an entry of `trajectories`."""

    prompt_messages: int | None = key(
        None,
        "How many messages of `content` are the prompt; null: one, or two where the first one is a "
        "system prompt.",
        ge=1,
    )


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key of an expanded row; None where this is no such log.

    Raises:
        InputError: every rollout begins with the same message, which may be a system prompt.
    """
    if not sample.has("content", "rewards", "idx"):
        return None
    _refuse_unmarked_system(sample, options["prompt_messages"])
    return {"prompt": "prompt", "response": "response", "reward": options["reward"] or "reward"}


def _refuse_unmarked_system(sample: Sample, given: int | None) -> None:
    whole = [texts for texts in map(_texts, sample.rows) if texts]
    first = {texts[0] for texts in whole}
    longer = [texts for texts in whole if len(texts) > _FEW]
    if given or len(first) > 1 or len(longer) < len(whole) or not whole:
        return
    if not _is_system(whole[0][0]) and len({texts[1] for texts in whole}) < len(whole):
        raise InputError(
            f"{sample.file.name}: all rollouts have more than {_FEW} messages and begin with "
            f"{whole[0][0][:60]!r}. If this is a system prompt, say `prompt_messages: 2`; if it is "
            "the only problem, `prompt_messages: 1`."
        )


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes a rollout of a line."""
    given = options["prompt_messages"]

    def rollout(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        texts = _texts(line)
        reward = _single(line.get("filtered_rewards", line["rewards"]))
        if not texts:
            if reward == []:  # rewards of groups that were filtered out, beyond the texts
                return
            raise ValueError("no messages in content")
        n = given or (2 if _is_system(texts[0]) and len(texts) > _FEW else 1)
        yield {
            **line,
            "prompt": "".join(texts[:n]),
            "response": "".join(texts[n:]),
            "reward": reward,
        }

    return rollout


def _texts(line: Mapping[str, Any]) -> list[str]:
    """Return the texts of a rollout's messages."""
    messages = _single(line["content"])
    if isinstance(messages, str):
        return [messages]
    texts = [m.get("content") if isinstance(m, Mapping) else m for m in messages]
    return [text for text in texts if isinstance(text, str)]


def _single(value: Any) -> Any:
    """Return what is in a batch of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_system(text: str) -> bool:
    return bool(_SYSTEM.search(text)) and "system" in text[:60].lower() and not _USER.search(text)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of logged training data; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "nemo-rl")
