"""What a study may set under `grader` and `second_opinion`."""

from __future__ import annotations

from typing import Annotated, Literal

from limr.core.validation import ABSENT, Keys, OneOf, key
from limr.grading.boxes import PLACES
from limr.grading.grade import DEFAULTS
from limr.grading.strictness import STRICTNESS


class Grader(Keys):
    """A rule of grading."""

    preset: Literal["default", "paper", "math-verify"] = key(
        DEFAULTS["preset"],
        "`paper`: the published reward, faults included (it cannot match about a tenth of the "
        "training answers); `math-verify`: that library alone, for a second opinion. With either, "
        "max_boxes and repetition have no effect.",
    )
    plugin: str | None = key(
        DEFAULTS["plugin"],
        "A grader of your own, which an installed package registers under the entry points "
        "`limr.graders` (docs/bring-your-own.md): it says whether two answers are equal; format "
        "rules and `answer` are those of the preset `default`.",
    )
    answer: Annotated[str, OneOf(PLACES)] = key(
        DEFAULTS["answer"],
        "Where the answer of a response is: `box`, in its last `\\boxed{}`; `last-line`, what "
        "the last line states (`#### 72`, `**Answer: C**`, `I choose option C.`); `whole`, all of "
        "it. With the last two a response without any "
        "text is `no-box`.",
    )
    max_boxes: int | None = key(
        DEFAULTS["max_boxes"],
        "A response with more boxes is malformed (the paper: 5 or more); null for any number.",
        ge=1,
    )
    repetition: bool = key(
        DEFAULTS["repetition"],
        "A response with a block of 5 or more characters five times in a row within a line is "
        "malformed, as in the paper; here stretches of layout, and of up to 200 characters of "
        "mathematics without a word, do not count.",
    )
    strictness: Annotated[str, OneOf(STRICTNESS)] = key(
        ABSENT,
        "`training` also refuses what a policy could gain by without solving: a number that is not "
        "written out (`\\sqrt{25}` for 5) and words after it that no table has as a unit. "
        "`evaluation` also accepts what is equal: arithmetic left undone (`3+4` for 7), 0.4 for "
        "40 %, 45 degrees for pi/4, `b` for B. By default `standard`, in between, which does "
        "neither.",
    )
