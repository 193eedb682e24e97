"""Generated arithmetic and algebra with worked solutions (`limr.problems.arithmetic`); no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from limr.core.random_streams import stream
from limr.core.tables import Problem
from limr.core.validation import ABSENT, EACH_ONCE, Keys, Number, OneOf, key
from limr.problems import arithmetic, arithmetic_useless

Kind = Annotated[str, OneOf(arithmetic_useless.KINDS)]


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


class Options(Keys):
    """Keys of an entry of `datasets`."""

    problems: int = key(..., "How many problems.", ge=1)
    seed: int = key(0, "Which of them; splits are disjoint whatever the seeds.", ge=0)
    split: Annotated[str, OneOf(arithmetic.SPLITS)] = key(
        "train",
        "`train` and `warmup`: levels 1 to 6; `easy` 1 and 2, `medium` 3 and 4, `hard` 5 and 6, "
        "held out.",
    )
    levels: Annotated[list[Annotated[int, Field(ge=1, le=6)]], EACH_ONCE] = key(
        list(arithmetic.LEVELS), "Draw from these levels of the split only.", min_length=1
    )
    ungradable: Number = key(
        0,
        "Share of problems whose gold answer is written so that the paper's reward reads nothing "
        "of it, as it reads nothing of a tenth of MATH-FULL's.",
        ge=0,
        le=1,
    )
    families: Annotated[list[Annotated[str, OneOf(arithmetic.NAMES)]], EACH_ONCE] = (
        key(  # absent: as in the settings of older studies, whose bytes stay
            ABSENT,
            "Draw from these kinds of problems only, all by default; benchmarks have their own.",
            min_length=1,
        )
    )
    useless: Number = key(
        ABSENT,
        "Share of problems that teach nothing, as no real pool is without them; none by default. "
        "Their ids say which they are.",
        ge=0,
        le=1,
    )
    useless_kinds: Annotated[list[Kind], EACH_ONCE, BeforeValidator(_listed)] = key(
        ABSENT,
        "What they are, one kind or several in even parts, all by default: `dead`, no response is "
        "ever right; `hard`, far too hard; `easy`, far too easy, for a base with "
        "`warmup.easy_share`; `duplicate`, copies of others.",
        min_length=1,
    )


def expected(options: Mapping[str, Any]) -> int:
    """Return how many problems there will be."""
    return int(options["problems"])


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Generate the problems that the options name.

    Raises:
        InputError: more problems than the split has.
    """
    problems = _generate(options)
    kinds = Counter(arithmetic_useless.kind(problem.problem_id) for problem in problems)
    del kinds[None]
    problems, ungradable = _rewritten(problems, options)
    levels = Counter(problem.level for problem in problems)
    counts = ", ".join(f"level {level}: {n}" for level, n in sorted(levels.items(), key=str))
    notes = [f"{len(problems)} generated problems ({counts})"]
    if kinds:
        found = ", ".join(f"{name} {n}" for name, n in kinds.items())
        notes.append(f"{kinds.total()} of them teach nothing: {found}")
    if ungradable:
        notes.append(f"{ungradable} gold answers are written so that the paper's reward is blind")
    return problems, notes


def _rewritten(
    problems: Sequence[Problem], options: Mapping[str, Any]
) -> tuple[list[Problem], int]:
    r"""Return the problems with the asked share of gold answers as `\dfrac{a}{b}`; how many.

    The number is the same and this project's grader takes it. The paper's reward parses the bare
    text and reads nothing, so that it can reward no answer (`limr.grading.paper`).
    """
    count = round(options.get("ungradable", 0) * len(problems))
    order = stream(options.get("seed", 0), arithmetic.SOURCE, "ungradable")
    chosen = set(order.permutation(len(problems))[:count].tolist())
    return [
        replace(problem, answer=_as_dfrac(problem.answer)) if number in chosen else problem
        for number, problem in enumerate(problems)
    ], count


def _as_dfrac(answer: str) -> str:
    if answer == arithmetic_useless.DEAD_GOLD:
        return answer  # blind to it is the paper's reward as well
    numerator, _, denominator = answer.partition("/")
    return f"\\dfrac{{{numerator}}}{{{denominator or 1}}}"


def solutions(options: Mapping[str, Any], file: Path | None) -> dict[str, str]:
    """Return problem_id -> worked solution of the same problems."""
    return {p.problem_id: arithmetic.solution(p.prompt) for p in _generate(options)}


def _generate(options: Mapping[str, Any]) -> list[Problem]:
    total, seed, split = options["problems"], options.get("seed", 0), options.get("split", "train")

    def generate(n: int, avoid: Collection[str] = ()) -> list[Problem]:
        levels = options.get("levels", arithmetic.LEVELS)
        families = options.get("families", arithmetic.NAMES)
        return arithmetic.generate(n, seed, split, avoid, levels, families)

    kinds = options.get("useless_kinds", arithmetic_useless.KINDS)
    wanted = arithmetic_useless.counts(total, options.get("useless", 0), kinds)
    n_useful = total - sum(wanted.values())
    useful = generate(n_useful) if n_useful else []
    return useful + arithmetic_useless.drawn(wanted, seed, split, useful, generate)
