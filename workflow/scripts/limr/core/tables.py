"""The data contracts: what a row of each file is. docs/outputs.md describes them for users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError

VERDICTS = ("correct", "incorrect", "malformed")
# The format rules of the grader and its presets, as column names; the first that breaks counts.
FORMAT_COLUMNS = ("truncated", "too_long", "no_box", "too_many_boxes", "garbled", "repeated")
_VERDICT = pa.dictionary(pa.int8(), pa.string())

# One row per rollout: one sampled response to one problem at one training step.
ROLLOUTS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("step", pa.int32()),  # from 1
        ("epoch", pa.int16()),  # from 0
        ("sample", pa.int8()),  # 0 .. samples_per_prompt - 1
        ("reward", pa.float32()),
        ("verdict", _VERDICT),
        ("response_tokens", pa.int32()),  # the end token included
        ("truncated", pa.bool_()),
        ("response", pa.string()),
    ]
)

# One row per training step. A column that a kind of training does not have is null.
METRICS = pa.schema(
    [
        ("step", pa.int32()),  # from 1
        ("epoch", pa.int16()),  # from 0
        ("mean_reward", pa.float64()),
        ("accuracy", pa.float64()),  # share of correct samples
        ("malformed", pa.float64()),  # share of malformed samples
        *[(f"broken_{rule}", pa.int32()) for rule in FORMAT_COLUMNS],  # samples, by format rule
        ("truncated", pa.float64()),  # share of samples without an end token
        ("response_tokens", pa.float64()),  # mean
        ("kl", pa.float64()),  # mean per token, policy against reference, at sampling
        ("entropy", pa.float64()),  # mean per token, nats, at sampling
        ("policy_loss", pa.float64()),
        ("value_loss", pa.float64()),
        ("clip_fraction", pa.float64()),  # share of tokens whose ratio was clipped
        ("loss", pa.float64()),  # supervised fine-tuning: mean cross-entropy per target token
        ("tokens", pa.int64()),  # prompt and response tokens trained on
        ("seconds", pa.float64()),  # wall time; the one column that a rerun does not repeat
    ]
)

# What the metrics of a run with a sampler also have (`limr.train.drawing`). Its other columns are
# over all rollouts that a step drew, whether trained on or not, and so are `tokens`.
DRAWN = pa.schema(
    [
        ("rollouts", pa.int32()),  # drawn in the step
        ("without_signal", pa.int32()),  # of these, in groups all right or all wrong
        ("tries", pa.int16()),  # draws of the step
        ("problems_drawn", pa.int32()),  # different problems up to this step
        ("most_drawn", pa.int32()),  # how often the most drawn problem was, up to this step
    ]
)

# One row per problem and epoch; an epoch without samples has no row.
TRAJECTORIES = pa.schema(
    [
        ("problem_id", pa.string()),
        ("epoch", pa.int16()),
        ("n", pa.int32()),
        ("n_correct", pa.int32()),
        ("mean_reward", pa.float64()),
    ]
)

# One row per problem; NaN and a reason where it cannot be scored.
SCORES = pa.schema([("problem_id", pa.string()), ("score", pa.float64()), ("reason", pa.string())])

# One row per problem: how sure its score is (`limr.scores.resampling`). Numbers are null without a
# score.
DIAGNOSTICS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("score", pa.float64()),
        ("low", pa.float64()),  # percentile interval of the score, at `level`
        ("high", pa.float64()),
        ("standard_error", pa.float64()),
        ("selected", pa.bool_()),  # by the first subset cut from the score, else the best sixth
        ("probability", pa.float64()),  # share of draws in which that cut would select it
        ("rule", pa.string()),  # that cut, in words
        ("draws", pa.int32()),
        ("level", pa.float64()),  # of the interval
    ]
)

# One row per comparison of a score from some epochs with the same score from others.
STABILITY = pa.schema(
    [
        ("kind", pa.string()),  # "first": the first epochs against all; "odd-even"
        ("epochs", pa.int16()),  # how many the first epochs are; all, for odd-even
        ("n_epochs", pa.int16()),  # recorded ones
        ("n", pa.int32()),  # problems that both could score
        ("size", pa.int32()),  # how many of the best were compared
        ("spearman", pa.float64()),  # null where it is not defined
        ("shared", pa.float64()),  # expected number of problems among the best of both
        ("overlap", pa.float64()),  # shared / size
        ("low", pa.float64()),  # Wilson's interval of the overlap, over problems
        ("high", pa.float64()),
        ("chance", pa.float64()),  # overlap of scores that know nothing of each other
        ("level", pa.float64()),  # of the interval
    ]
)

# One row per response of an evaluation.
EVALUATIONS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("decoding", pa.string()),
        ("sample", pa.int16()),
        ("verdict", _VERDICT),
        ("format", pa.string()),  # the format rule that was broken, or ""
        ("answer", pa.string()),  # what was extracted, null if nothing
        ("response_tokens", pa.int32()),
        ("truncated", pa.bool_()),
        ("response", pa.string()),
    ]
)

# What evaluations also have, but for those of versions before it: why a verdict is not correct, or
# "" (`limr.grading.grade.Grade.reason`).
REASONS = pa.schema([("reason", pa.string())])

# How many of a problem's responses the study's grader and another rule judged alike: one row per
# combination. Answers are filled in only where one rule says correct and the other does not.
OPINIONS = pa.schema(
    [
        ("rule", pa.string()),  # the second one
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("verdict", _VERDICT),
        ("opinion", _VERDICT),  # the second rule's verdict
        ("gold", pa.string()),
        ("format", pa.string()),  # the format rule that was broken, or ""
        ("answer", pa.string()),
        ("opinion_answer", pa.string()),
        ("opinion_reason", pa.string()),  # why the second verdict is not correct, or ""
        ("n", pa.int64()),
    ]
)

# What a benchmark's questions share with training problems (`limr.problems.overlap`): one row per
# set of training problems, question and length of n-grams.
OVERLAPS = pa.schema(
    [
        ("scope", pa.string()),  # "problem set" or "arm"
        ("trained_on", pa.string()),  # its name
        ("n_problems", pa.int32()),  # that it has
        ("problem_id", pa.string()),  # the question
        ("words", pa.int16()),  # length of the n-grams
        ("n_grams", pa.int32()),  # different n-grams of the question; 0: it has fewer words
        ("covered", pa.int32()),  # of these, found in any training problem
        ("shared", pa.int32()),  # of these, found in the one that shares the most
        ("nearest", pa.string()),  # that problem's id; null: none shares any
        ("match", pa.string()),  # "exact", "normalised" (equal but for layout) or ""
        ("match_id", pa.string()),  # the training problem with the same text
    ]
)

# One row per problem and finding of an audit of gold answers (`limr.problems.answer_audit`).
AUDITS = pa.schema([(name, pa.string()) for name in ("problem_id", "answer", "finding", "detail")])


@dataclass(frozen=True)
class Problem:
    """One problem: `answer` is the gold answer, `level` is from 1 (easy), None where unknown."""

    problem_id: str
    prompt: str
    answer: str
    source: str
    level: int | None = None


@dataclass(frozen=True)
class Response:
    """One generated text: `tokens` counts the end token; `truncated` = it never came."""

    text: str
    tokens: int
    truncated: bool


def broken_rules(formats: Sequence[str]) -> dict[str, int]:
    """Return the columns `broken_*` of `METRICS`: how many samples broke each format rule.

    Args:
        formats: the broken rule of each sample (`limr.grading.grade.Grade.format`), "" for none.
    """
    counts = Counter(formats)
    return {f"broken_{name}": counts[name.replace("_", "-")] for name in FORMAT_COLUMNS}


def check_problems(
    problems: Sequence[Problem], where: str, *, allow_empty_answers: bool = False
) -> None:
    """Refuse problems that cannot be trained on or joined.

    Args:
        problems: the problems.
        where: their file, for messages.
        allow_empty_answers: the data set keeps problems that no response can solve.

    Raises:
        InputError: no problems, an empty id, prompt or answer, or an id that occurs twice.
    """
    fields = ["problem_id", "prompt"] + ([] if allow_empty_answers else ["answer"])
    if not problems:
        raise InputError(f"{where}: no problems in it.")
    for number, problem in enumerate(problems, start=1):
        for field in fields:
            if not str(getattr(problem, field)).strip():
                raise InputError(
                    f"{where}:{number}: problem '{problem.problem_id}' has an empty {field}. "
                    "Give it one, or leave the problem out."
                )
    doubled = [key for key, n in Counter(p.problem_id for p in problems).items() if n > 1]
    if doubled:
        raise InputError(
            f"{where}: {len(doubled)} problem_id occur twice, the first is '{doubled[0]}'. "
            "Ids join every table of the study: make them unique."
        )


def write_problems(
    path: str | Path, problems: Sequence[Problem], *, allow_empty_answers: bool = False
) -> None:
    """Write `problems/{dataset}.jsonl` after checking it (see `check_problems`)."""
    check_problems(problems, str(path), allow_empty_answers=allow_empty_answers)
    files.write_jsonl(path, [asdict(problem) for problem in problems])


def read_problems(path: str | Path) -> list[Problem]:
    """Read `problems/{dataset}.jsonl` or a subset of it, ignoring extra keys.

    Empty answers are accepted: the data set's `empty_answers` decided when the file was written.

    Raises:
        InputError: a key is missing or of another type, or see `check_problems`.
    """
    problems = []
    for number, row in enumerate(files.read_jsonl(path), start=1):
        try:
            problems.append(msgspec.convert(row, Problem))
        except msgspec.ValidationError as error:
            raise InputError(f"{path}:{number}: not a problem: {error}.") from None
    check_problems(problems, str(path), allow_empty_answers=True)
    return problems
