"""Prompt templates: the text around a problem when a pretrained model is prompted with it.

This is the one place where prompts are written. A template is an entry of `TEMPLATES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from limr.core.errors import InputError, nearest

Tokenizer: TypeAlias = Any  # of transformers, which ships no types

# The paper's system prompt, which is Qwen2.5-Math's.
INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."

# Written for this package; none of them is in a training set or benchmark.
EXAMPLES = (
    (
        "A shelf holds 3 rows of 14 books. If 9 books are lent, how many are left?",
        "The shelf holds $3 \\cdot 14 = 42$ books. After 9 are lent, $42 - 9 = 33$ are left. "
        "The answer is \\boxed{33}.",
    ),
    (
        "Solve $5x - 7 = 2x + 11$ for $x$.",
        "Subtracting $2x$ from both sides gives $3x - 7 = 11$. Adding 7 gives $3x = 18$, so that "
        "$x = 6$. The answer is \\boxed{6}.",
    ),
    (
        "A bag holds 4 red and 6 blue marbles. Two are drawn without replacement. What is the "
        "probability that both are red?",
        "The first is red with probability $\\frac{4}{10}$, the second then with probability "
        "$\\frac{3}{9}$. Together this is $\\frac{4}{10} \\cdot \\frac{3}{9} = \\frac{2}{15}$. "
        "The answer is \\boxed{\\frac{2}{15}}.",
    ),
    (
        "What is the area of a right triangle with hypotenuse 13 and one leg 5?",
        "The other leg is $\\sqrt{13^2 - 5^2} = \\sqrt{144} = 12$. The area is "
        "$\\frac{1}{2} \\cdot 5 \\cdot 12 = 30$. The answer is \\boxed{30}.",
    ),
)
_ASKED, _ANSWERED = "Problem:\n", "\n\nSolution:\n"
_SHOTS = "".join(f"{_ASKED}{asked}{_ANSWERED}{solved}\n\n" for asked, solved in EXAMPLES)


@dataclass(frozen=True)
class Template:
    """`before` and `after` surround the problem; with `chat` the tokenizer's own template does.

    `markup` are texts that must be single tokens; of these, `ends` end a response, as the model's
    own end token does. `stops` are texts that end a response, and are cut off. `opens`: the
    tokenizer adds what it puts around every text, such as a start token.
    """

    title: str
    before: str = ""
    after: str = ""
    chat: bool = False
    opens: bool = False
    markup: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


TEMPLATES = {
    "qwen-boxed": Template(
        "Qwen's chat markup with the paper's system prompt",
        before=f"<|im_start|>system\n{INSTRUCTION}<|im_end|>\n<|im_start|>user\n",
        after="<|im_end|>\n<|im_start|>assistant\n",
        markup=("<|im_start|>", "<|im_end|>"),
        ends=("<|im_end|>",),
    ),
    "chat-boxed": Template(
        "the tokenizer's own chat template with the paper's system prompt", chat=True
    ),
    "few-shot": Template(
        f"{len(EXAMPLES)} worked examples, for models without instruction tuning",
        before=_SHOTS + _ASKED,
        after=_ANSWERED,
        opens=True,
        stops=(f"\n{_ASKED.strip()}",),
    ),
    "none": Template("the problem's text alone", opens=True),
}
NAMES = tuple(TEMPLATES)
DESCRIPTION = "; ".join(f"`{name}`: {template.title}" for name, template in TEMPLATES.items())


def find(name: str) -> Template:
    """Return a template by its name; refuse an unknown name."""
    if name not in TEMPLATES:
        raise InputError(f"there is no prompt template '{name}'.{nearest(name, TEMPLATES)}")
    return TEMPLATES[name]


def check(name: str, tokenizer: Tokenizer, where: str) -> None:
    """Refuse a tokenizer that lacks the chat template or markup of a template.

    `where` is the model's folder, for the message.
    """
    template = find(name)
    if template.chat and not tokenizer.chat_template:
        raise InputError(
            f"{where}: template '{name}' needs a chat template, and the tokenizer has none. Put "
            "the model's chat_template.jinja into the folder, or take template 'few-shot' (or "
            "'qwen-boxed' for a model of the Qwen family)."
        )
    for text in template.markup:
        if single_token(tokenizer, text) is None:
            raise InputError(
                f"{where}: template '{name}' is written with '{text}', which is no token of this "
                "model. Take template 'chat-boxed' if it has a chat template, else 'few-shot'."
            )


def single_token(tokenizer: Tokenizer, text: str) -> int | None:
    """Return the id of a text that is one token, else None."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    return int(ids[0]) if len(ids) == 1 and ids[0] != tokenizer.unk_token_id else None


def render(name: str, prompt: str, tokenizer: Tokenizer) -> str:
    """Return the text that the model reads.

    Raises InputError where the tokenizer's chat template refuses a system message.
    """
    template = find(name)
    if not template.chat:
        return template.before + prompt + template.after
    from jinja2 import TemplateError

    messages = [
        {"role": "system", "content": INSTRUCTION},
        {"role": "user", "content": prompt},
    ]
    try:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
    except TemplateError as error:
        raise InputError(
            f"template '{name}': the model's chat template refuses a system and a user message "
            f"({error}). Take template 'few-shot'."
        ) from None
    return text


def encode(name: str, prompts: Sequence[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Return the token ids of each prompt in its template; see `render`."""
    texts = [render(name, prompt, tokenizer) for prompt in prompts]
    opens = find(name).opens
    return [list(tokenizer.encode(text, add_special_tokens=opens)) for text in texts]
