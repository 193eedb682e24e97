"""Drawing tokens: the distribution, the nucleus, and what is recorded."""

from __future__ import annotations

import pytest
import torch

import embedded_case as case
from limr.models import decoding
from limr.models.interface import Decoding
from limr.train.embedded import packing, sampling
from limr.train.embedded.forward import weights_of

PROMPTS = [case.WORDS.encode(text) for text in ("1+2=?", "31*(2+4)=?", "x+1=3,x=?")]


def drawing(**changes):
    return Decoding(
        **{"name": "", "samples": 4, "temperature": 1.2, "top_p": 1.0, "max_tokens": 9, **changes}
    )


def drawn(how, seed=1, prompts=PROMPTS):
    model = case.policy().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    return model, sampling.draw(
        weights_of(model.model), model.lm_head.weight, prompts, how, generator
    )


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [
        (0.4, [0.0, 0.5, 0.0, 0.0]),
        (0.5, [0.0, 0.5, 0.0, 0.0]),  # reached exactly
        (0.6, [0.0, 0.5, 0.25, 0.0]),
        (0.8, [0.125, 0.5, 0.25, 0.0]),  # a tie: the first index
        (1.0, [0.125, 0.5, 0.25, 0.125]),
    ],
)
def test_nucleus_by_hand(top_p, expected):
    p = torch.tensor([[0.125, 0.5, 0.25, 0.125]])
    assert decoding.nucleus(p, top_p).tolist() == [expected]


def test_choose_inverts_the_distribution_function():
    log_p = torch.tensor([[0.25, 0.0, 0.5, 0.25]]).log().expand(6, 4)
    uniform = torch.tensor([0.0, 0.2499, 0.25, 0.74, 0.75, 1 - 2**-24])
    assert decoding.choose(log_p, drawing(), uniform).tolist() == [0, 0, 2, 2, 3, 3]
    # nucleus 0.5 leaves token 2 alone, whatever is drawn
    assert decoding.choose(log_p, drawing(top_p=0.5), uniform).tolist() == [2] * 6
    assert decoding.choose(log_p, drawing(temperature=0.0), uniform).tolist() == [2] * 6


def test_an_impossible_last_token_is_never_chosen():
    log_p = torch.tensor([[0.3, 0.7, 0.0]]).log()
    assert decoding.choose(log_p, drawing(), torch.tensor([1 - 2**-24])).tolist() == [1]


def test_frequencies_follow_the_probabilities():
    p = torch.tensor([0.1, 0.2, 0.3, 0.4])
    uniform = torch.rand(20000, generator=torch.Generator().manual_seed(3))
    found = decoding.choose(p.log().expand(20000, 4), drawing(), uniform)
    shares = torch.bincount(found, minlength=4) / 20000
    torch.testing.assert_close(shares, p, atol=0.015, rtol=0)


def test_recorded_log_probabilities_are_those_of_training():
    model, samples = drawn(drawing(max_tokens=12))
    owners = [prompt for prompt in range(3) for _ in range(4)]
    packed = packing.pack(PROMPTS, owners, samples.responses(), case.CPU)
    states = packing.states(weights_of(model.model), packed)
    expected = packing.log_probabilities(states, model.lm_head.weight, packed.targets, 1.2)
    found = samples.log_probabilities[samples.mask]
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)
    assert float(samples.log_probabilities[~samples.mask].abs().sum()) == 0
    assert samples.entropies[samples.mask].min() > 0


def test_responses_end_at_the_end_token_or_the_limit():
    _, samples = drawn(drawing(samples=32, max_tokens=6))
    assert any(samples.truncated()) and not all(samples.truncated())
    for response, cut in zip(samples.responses(), samples.truncated(), strict=True):
        assert 0 not in response[:-1]
        assert cut == (response[-1] != 0)
        assert len(response) == 6 or not cut


def test_same_seed_same_samples_and_rows_are_independent(monkeypatch):
    _, first = drawn(drawing())
    _, again = drawn(drawing())
    _, other = drawn(drawing(), seed=2)
    assert torch.equal(first.tokens, again.tokens)
    assert not torch.equal(first.tokens, other.tokens)
    # generated one prompt at a time, and never dropping a finished row: the same draws
    monkeypatch.setattr(sampling, "ROWS", 1)
    monkeypatch.setattr(sampling, "KEPT", 0.0)
    _, apart = drawn(drawing())
    assert torch.equal(first.tokens, apart.tokens)
