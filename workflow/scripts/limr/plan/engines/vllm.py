"""vLLM: an evaluation is on one node, on as many GPUs as share the model."""

from __future__ import annotations

from limr.plan.engines import Layout
from limr.study.study import Study

MODULES = ("torch", "vllm")


def gpus(study: Study, work: str) -> tuple[int, int]:
    """Return one node and as many GPUs as share the model."""
    del work
    return 1, generation(study).gpus


def generation(study: Study) -> Layout:
    """Return which GPUs an evaluation uses."""
    gpus = int(study.engine_options("generate")["tensor_parallel"])
    return Layout(nodes=1, gpus=gpus, generating=gpus, training=0)
