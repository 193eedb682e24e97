"""Planning of GPUs and batches: what fits, and what is refused before anything is submitted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from limr.core import validation
from limr.core.errors import InputError
from limr.study import schema
from limr.study.load import load as load_study
from limr.train.embedded.order import Order
from limr.train.openrlhf import layout, options


def settings(**changes: Any) -> dict[str, Any]:
    return dict(validation.complete(changes, options.Options, "test"))


def ppo(**changes: Any) -> dict[str, Any]:
    found = schema.Ppo
    return dict(validation.complete(changes, found, "test"))


def test_colocated_roles_share_all_gpus() -> None:
    found = layout.plan(settings(nodes=2, gpus_per_node=8, tensor_parallel=4), ppo())
    assert (found.gpus, found.engines, found.tensor_parallel) == (16, 4, 4)
    assert found.actor == found.critic == found.reference == layout.Role(2, 8)


def test_the_papers_split_is_four_equal_parts() -> None:
    found = layout.plan(settings(nodes=2, layout="split"), ppo())
    assert not found.colocated
    assert found.actor == found.critic == found.reference == layout.Role(1, 4)
    assert (found.engines, found.tensor_parallel, found.gpus) == (4, 1, 16)
    assert found.described() == [
        "16 GPUs: 4 policy + 4 critic + 4 reference + 4 generation",
        "4 vLLM engines of 1 GPUs",
    ]


def test_a_role_may_span_whole_nodes() -> None:
    shares = {"actor": 16, "critic": 8, "reference": 4, "generation": 4}
    found = layout.plan(settings(nodes=4, layout="split", split=shares), ppo())
    assert found.actor == layout.Role(2, 8)


def test_without_kl_there_is_no_reference() -> None:
    assert layout.plan(settings(), ppo(kl_coefficient=0.0)).reference is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tensor_parallel": 3}, "8 GPUs .* are not engines x tensor_parallel = 3"),
        (
            {"split": {"actor": 2, "critic": 2, "reference": 2, "generation": 2}},
            "'split' goes with 'layout: split'",
        ),
        ({"layout": "split", "gpus_per_node": 6}, "'split' must be given: 6 GPUs"),
        (
            {
                "layout": "split",
                "split": {"actor": 4, "critic": 4, "reference": 4, "generation": 4},
            },
            "4 \\+ 4 \\+ 4 \\+ 4 = 16 GPUs, but nodes x gpus_per_node = 8",
        ),
        (
            {
                "layout": "split",
                "split": {"actor": 4, "critic": 2, "reference": 0, "generation": 2},
            },
            "split.reference is 0",
        ),
        (
            {
                "layout": "split",
                "split": {"actor": 0, "critic": 2, "reference": 4, "generation": 2},
            },
            "need at least one GPU each",
        ),
        (
            {
                "layout": "split",
                "tensor_parallel": 2,
                "split": {"actor": 2, "critic": 1, "reference": 2, "generation": 3},
            },
            "split.generation: 3 GPUs are not engines x tensor_parallel = 2",
        ),
        (
            {
                "nodes": 3,
                "layout": "split",
                "split": {"actor": 12, "critic": 4, "reference": 4, "generation": 4},
            },
            "split.actor: 12 GPUs are more than one node of 8 and not whole nodes",
        ),
        ({"attention": "sdpa"}, "'packing' needs 'attention: flash_attention_2'"),
        ({"micro_train": 3}, "train_batch_size 256 is not a multiple of micro_train x GPUs"),
        ({"micro_rollout": 3}, "8192 rollouts per step are not a multiple of micro_rollout x GPUs"),
        (
            {"checkpoint_every": 10},
            "checkpoint_every 10 does not divide step 24, which is evaluated",
        ),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        layout.check_ppo(settings(**changes), ppo(), [24, 48])


def test_advantages_are_always_whitened() -> None:
    with pytest.raises(InputError, match="always whitens"):
        layout.check_ppo(settings(), ppo(whiten_advantages=False), [8])


def test_an_incomplete_batch_is_refused_where_it_would_leak() -> None:
    small = Order(331, 1024, False, 1, "limr")
    with pytest.raises(InputError, match=r"arm 'limr' .331 problems.: 331 prompts x 8 samples"):
        layout.check_problems(settings(), ppo(), small, "limr")
    layout.check_problems(settings(), ppo(), Order(8523, 1024, True, 1, "full"), "full")
    with pytest.raises(InputError, match="8523 problems"):
        layout.check_problems(settings(), ppo(), Order(8523, 1024, False, 1, "full"), "full")


def test_checkpoints_are_where_policies_are_kept() -> None:
    assert layout.checkpoint_every(None, [0, 24, 60], 168, "x") == 12
    assert layout.checkpoint_every(None, [], 168, "x") == 168
    assert layout.checkpoint_every(4, [0, 24], 168, "x") == 4


def test_disk_of_a_7b_run() -> None:
    """Three checkpoints of policy and critic at 12 bytes a weight each, and 16-bit policies."""
    found = layout.disk_bytes(7.6e9, settings(), policies=7)
    assert found == pytest.approx(3 * 2 * 12 * 7.6e9 + 8 * 2 * 7.6e9)


def test_fine_tuning_needs_whole_batches() -> None:
    sft = {"batch_size": 12, "steps": 8}
    with pytest.raises(InputError, match=r"sft.batch_size 12 is not a multiple"):
        layout.check_sft(settings(), sft, [8])
    assert layout.check_sft(settings(gpus_per_node=4), sft, [8]) == 4


def test_a_study_is_refused_before_any_job(root: Any) -> None:
    import yaml

    config = yaml.safe_load((root / "config/config.yaml").read_text())
    load_study(config, "config.yaml", root / "config/benchmarks")
    wrong = copy.deepcopy(config)
    wrong["engines"]["openrlhf"]["tensor_parallel"] = 5
    with pytest.raises(InputError, match=r"config.yaml: engines.openrlhf"):
        load_study(wrong, "config.yaml", root / "config/benchmarks")
