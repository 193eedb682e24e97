"""Prompt templates: the texts that models read, and what a tokenizer must have for them."""

from __future__ import annotations

import pytest

import byte_tokenizer
from limr.core.errors import InputError
from limr.grading.grade import Grader
from limr.models import prompt_templates

PROBLEM = "What is $\\{1\\} + {x}$?"  # braces are not ours to fill in
QWEN = (
    "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}."
    f"<|im_end|>\n<|im_start|>user\n{PROBLEM}<|im_end|>\n<|im_start|>assistant\n"
)


@pytest.fixture
def chatml():
    return byte_tokenizer.make("<|im_start|>", "<|im_end|>", chat=byte_tokenizer.CHATML)


def test_qwen_boxed_is_the_papers_prompt(chatml):
    assert prompt_templates.render("qwen-boxed", PROBLEM, chatml) == QWEN
    prompt_templates.check("qwen-boxed", chatml, "folder")
    ids = prompt_templates.encode("qwen-boxed", [PROBLEM], chatml)[0]
    assert chatml.decode(ids) == QWEN
    start, end = chatml.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    assert (ids.count(start), ids.count(end)) == (3, 2)  # markup, not letters


def test_chat_boxed_is_the_same_through_such_a_chat_template(chatml):
    assert prompt_templates.render("chat-boxed", PROBLEM, chatml) == QWEN
    prompt_templates.check("chat-boxed", chatml, "folder")


def test_none_is_the_problem_and_nothing_else():
    plain = byte_tokenizer.make()
    assert prompt_templates.render("none", PROBLEM, plain) == PROBLEM
    opened = byte_tokenizer.make("<s>", bos="<s>")
    first = opened.convert_tokens_to_ids("<s>")
    assert prompt_templates.encode("none", ["a"], opened)[0] == [first, *plain.encode("a")]
    assert prompt_templates.encode("few-shot", ["a"], opened)[0][0] == first
    # A chat template writes its own start token: it must not stand twice.
    opened.chat_template = "{{ bos_token }}{{ messages[1]['content'] }}"
    assert prompt_templates.encode("chat-boxed", ["a"], opened)[0] == [first, *plain.encode("a")]


def test_few_shot_shows_examples_that_the_grader_accepts():
    text = prompt_templates.render("few-shot", PROBLEM, None)
    assert text.endswith(f"Problem:\n{PROBLEM}\n\nSolution:\n")
    assert text.count("Solution:") == len(prompt_templates.EXAMPLES) + 1
    grader = Grader()
    for (asked, solved), gold in zip(
        prompt_templates.EXAMPLES, ("33", "6", "\\frac{2}{15}", "30"), strict=True
    ):
        assert f"Problem:\n{asked}\n\nSolution:\n{solved}\n\nProblem:" in text
        assert grader.grade(gold, solved, truncated=False).verdict == "correct"
    # The next problem is where such a model goes on to.
    (stop,) = prompt_templates.find("few-shot").stops
    assert text.count(stop) == len(prompt_templates.EXAMPLES)


@pytest.mark.data
def test_no_example_stands_in_a_benchmark(mirror):
    for path in (mirror / "limr/benchmarks").glob("*.jsonl"):
        text = path.read_text(encoding="utf-8")
        assert not [asked for asked, _ in prompt_templates.EXAMPLES if asked in text]


def test_a_tokenizer_that_cannot_write_a_template_is_refused():
    plain = byte_tokenizer.make()
    with pytest.raises(InputError, match=r"folder: .* needs a chat template.*chat_template\.jinja"):
        prompt_templates.check("chat-boxed", plain, "folder")
    with pytest.raises(InputError, match=r"'<\|im_start\|>', which is no token.*'few-shot'"):
        prompt_templates.check("qwen-boxed", plain, "folder")
    for name in ("few-shot", "none"):
        prompt_templates.check(name, plain, "folder")


def test_a_chat_template_that_refuses_is_reported():
    refusing = byte_tokenizer.make(chat="{{ raise_exception('System role not supported') }}")
    with pytest.raises(InputError, match="System role not supported"):
        prompt_templates.encode("chat-boxed", ["a"], refusing)


def test_an_unknown_template_has_a_nearest_name():
    with pytest.raises(InputError, match="Did you mean 'qwen-boxed'"):
        prompt_templates.find("qwen-box")
