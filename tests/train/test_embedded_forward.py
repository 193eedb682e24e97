"""The flat forward pass, packing and the cache against Hugging Face's Qwen2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import embedded_case as case
from limr.core.errors import InputError
from limr.models.interface import Decoding
from limr.train.embedded import model as models
from limr.train.embedded import packing, sampling, supervised
from limr.train.embedded.forward import weights_of

PROMPTS = [case.WORDS.encode(text) for text in ("1+2=?", "31*(2+4)=?", "x+1=3,x=?")]
OWNERS = [0, 0, 1, 2, 2, 2]
RESPONSES = [
    case.WORDS.encode(text) for text in ("3", "\\boxed{3}", "31*6=\\boxed{186}", "", "2", "3-1=2")
]


def reference(model, prompt, response):
    """Log-probabilities of a response by Hugging Face's own forward, one sequence alone."""
    logits = model(torch.tensor([prompt + response])).logits[0].log_softmax(-1)
    return torch.stack([logits[len(prompt) - 1 + t, token] for t, token in enumerate(response)])


def hugging_face(policy, folder):
    """The same policy as Hugging Face loads it."""
    from transformers import AutoModelForCausalLM

    models.save_policy(policy, case.WORDS, folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def test_weights_have_hugging_faces_names_and_order(tmp_path):
    policy = case.policy()
    theirs = hugging_face(policy, tmp_path / "policy")
    assert [name for name, _ in policy.named_parameters()] == [
        name for name, _ in theirs.named_parameters()
    ]
    assert list(policy.state_dict()) == list(theirs.state_dict())
    assert torch.equal(policy.model.frequencies, theirs.model.rotary_emb.inv_freq)
    folder = tmp_path / "theirs"
    theirs.save_pretrained(folder)
    for name in (models.CONFIG, models.GENERATION):
        assert (folder / name).read_bytes() == (tmp_path / "policy" / name).read_bytes()


@pytest.mark.slow
def test_a_job_imports_neither_transformers_nor_pytorchs_compiler(tmp_path):
    case.base(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\nimport embedded_case as case\n"
        "from limr.train.embedded import generation, ppo, supervised\n"
        "ppo.train_ppo(case.ppo_job(Path(sys.argv[1])))\n"
        "print(sorted({'torch', 'torch._dynamo', 'transformers'} & set(sys.modules)))"
    )
    places = os.pathsep.join([str(Path(case.__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['torch']\n", done.stdout


def test_log_probabilities_and_gradients_match_hugging_face(tmp_path):
    model = case.policy()
    theirs = hugging_face(model, tmp_path / "policy")
    packed = packing.pack(PROMPTS, OWNERS, RESPONSES, case.CPU)
    hidden = packing.states(weights_of(model.model), packed)
    found = packing.log_probabilities(hidden, model.lm_head.weight, packed.targets)
    expected = torch.cat(
        [reference(theirs, PROMPTS[o], r) for o, r in zip(OWNERS, RESPONSES, strict=True)]
    )
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)

    weight = torch.linspace(-1, 1, len(found))
    gradients = []
    for loss, parts in ((found, model), (expected, theirs)):
        (loss * weight).sum().backward()
        gradients.append({name: p.grad.clone() for name, p in parts.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-4, rtol=1e-3, msg=name)


def test_pairs_packed_as_one_row_are_the_same():
    model = case.policy()
    pairs = [(PROMPTS[o], r) for o, r in zip(OWNERS, RESPONSES, strict=True)]
    shared = packing.pack(PROMPTS, OWNERS, RESPONSES, case.CPU)
    alone = packing.pack_pairs(pairs, case.CPU)
    weights = weights_of(model.model)
    torch.testing.assert_close(
        packing.states(weights, shared), packing.states(weights, alone), atol=1e-5, rtol=1e-5
    )
    assert torch.equal(shared.targets, alone.targets)


def test_temperature_divides_the_logits():
    states, output, targets = torch.eye(2), torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.zeros(2)
    found = packing.log_probabilities(states, output, targets.long(), temperature=2.0)
    # logits (2, 0) / 2 and (0, 4) / 2
    expected = torch.tensor([[1.0, 0.0], [0.0, 2.0]]).log_softmax(-1)[:, 0]
    torch.testing.assert_close(found, expected)


def test_accumulated_gradient_does_not_depend_on_the_micro_batch():
    model = case.policy()
    pairs = [(PROMPTS[o], r) for o, r in zip(OWNERS, RESPONSES, strict=True)]
    results = []
    for size in (1, 4, 100):
        model.zero_grad()
        loss = supervised.accumulate(model, pairs, size)
        results.append((loss, model.model.norm.weight.grad.clone()))
    for loss, gradient in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-5)
        torch.testing.assert_close(gradient, results[0][1], atol=1e-5, rtol=1e-4)


def test_greedy_generation_matches_hugging_face(tmp_path):
    policy = case.policy(3).requires_grad_(False)
    model = hugging_face(policy, tmp_path / "policy")
    weights, output = weights_of(policy.model), policy.lm_head.weight
    drawing = Decoding(name="", samples=1, temperature=0.0, top_p=1.0, max_tokens=12)
    found = sampling.draw(weights, output, PROMPTS, drawing, torch.Generator())
    for prompt, response in zip(PROMPTS, found.responses(), strict=True):
        whole = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=12)
        assert whole[0, len(prompt) :].tolist() == response


def test_saving_twice_gives_the_same_bytes_and_loads_the_same_weights(tmp_path):
    model = case.policy()
    for name in ("a", "b"):
        models.save_policy(model, case.WORDS, tmp_path / name)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    loaded = models.load_policy(tmp_path / "a", case.CPU)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def test_a_damaged_policy_is_refused(tmp_path):
    models.save_policy(case.policy(), case.WORDS, tmp_path / "policy")
    weights = tmp_path / "policy" / models.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(InputError, match="not a readable model folder"):
        models.load_policy(tmp_path / "policy", case.CPU)
    with pytest.raises(InputError, match="not a readable model folder"):
        models.load_policy(tmp_path / "nothing", case.CPU)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "llama"}, "a 'llama' model"),
        ({"intermediate_size": 8}, "mlp.down_proj.weight' does not fit config.json"),
        ({"num_hidden_layers": 1}, "does not fit config.json"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}}, "neither scaled positions"),
    ],
)
def test_a_folder_of_another_model_is_refused(tmp_path, change, says):
    models.save_policy(case.policy(), case.WORDS, tmp_path / "policy")
    path = tmp_path / "policy" / models.CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=re.escape(says)):
        models.load_policy(tmp_path / "policy", case.CPU)
