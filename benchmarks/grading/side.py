"""One grader on the development set, in a process of its own: prints its verdicts' rates as JSON.

Usage: PYTHON benchmarks/grading/side.py NAME FOLDER, where NAME is one of `SIDES`.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import resource
import signal
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

KINDS = ("real_pairs", "pairs", "mutants", "gold_variants")
MEMORY = 4 << 30
HOSTILE_SECONDS = 30  # then a hostile item counts as hanging
Judge = Callable[[str, str, str], bool]  # gold, answer, response


def limr(**settings: Any) -> Judge:
    """Return the project's grader, without a pool."""
    from limr.grading.grade import Grader

    grader = Grader(settings)
    return lambda gold, _, response: (
        grader.grade(gold, response, truncated=False).verdict == "correct"
    )


def math_verify(before: str = "", after: str = "") -> Judge:
    """Return math-verify with its defaults, on answers as they stand or between dollar signs."""
    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)

    def judge(gold: str, answer: str, _: str) -> bool:
        return bool(verify(parse(before + gold + after), parse(before + answer + after)))

    return judge


def lm_eval_task(name: str) -> Any:
    """Load the one file of a task of lm-evaluation-harness, without what loads data sets."""
    lm_eval = importlib.util.find_spec("lm_eval")
    place = Path(str(lm_eval and lm_eval.origin)).parent / f"tasks/{name}/utils.py"
    stand_in: Any = types.ModuleType("datasets")
    stand_in.Dataset = object
    sys.modules.setdefault("datasets", stand_in)
    spec = importlib.util.spec_from_file_location(f"{name}_utils", place)
    utils: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(utils)  # type: ignore[union-attr]
    logging.disable(logging.CRITICAL)
    return utils


def hendrycks() -> Judge:
    """Return the rule that came with MATH: equal strings after fixed replacements."""
    utils = lm_eval_task("hendrycks_math")
    return lambda gold, answer, _: bool(utils.is_equiv(answer, gold))


def minerva() -> Judge:
    """Return the rule of lm-evaluation-harness's `minerva_math`."""
    utils = lm_eval_task("minerva_math")

    def judge(gold: str, answer: str, _: str) -> bool:
        left, right = map(utils.normalize_final_answer, (gold, answer))
        return bool(left.strip() == right.strip() or utils.is_equiv(left, right))

    return judge


SIDES: dict[str, Callable[[], Judge]] = {
    "limr": limr,
    "limr, paper preset": lambda: limr(preset="paper"),
    "math-verify, bare": math_verify,
    "math-verify, in $": lambda: math_verify("$", "$"),
    "lm-eval minerva_math": minerva,
    "MATH's own, in lm-eval": hendrycks,
}


def rates(judge: Judge, folder: Path) -> dict[str, Any]:
    """Return counts by kind of item, and answers a CPU-second on the real pairs."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        lines = (folder / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        if kind == "pairs":
            rows = [row for row in rows if row["core"]]
        start = time.process_time()
        accepted = [caught(judge, row) for row in rows]
        seconds = time.process_time() - start
        counts = {"right": 0, "accepted": 0, "wrong": 0, "let_in": 0}
        for row, yes in zip(rows, accepted, strict=True):
            weight = row.get("n_responses", 1)
            counts["right" if row["equal"] else "wrong"] += weight
            counts["accepted" if row["equal"] else "let_in"] += weight * yes
        found[kind] = {**counts, "items": len(rows), "cpu_seconds": seconds}
    return found


def caught(judge: Judge, row: dict[str, Any]) -> bool:
    """Return the verdict; an error is a wrong answer."""
    try:
        return judge(row["gold"], row.get("pred", ""), row["response"])
    except Exception:  # noqa: BLE001 - as the graders' own callers do
        return False


def hostile(judge: Judge, folder: Path) -> dict[str, Any]:
    """Return the longest time of a hostile item and how many did not end in time."""
    lines = (folder / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    longest, hanging = 0.0, 0
    for line in lines:
        row = json.loads(line)
        row["pred"] = row["response"].removeprefix("\\boxed{").removesuffix("}")
        if "INJECT" in row["name"]:
            continue  # nobody's code is run for a benchmark
        start = time.monotonic()
        hanging += not ends(judge, row)
        longest = max(longest, time.monotonic() - start)
    return {"longest_seconds": longest, "hanging": hanging}


def ends(judge: Judge, row: dict[str, Any]) -> bool:
    """Judge in a fork that is killed when it takes too long; tell whether it was not."""
    import multiprocessing

    process = multiprocessing.get_context("fork").Process(target=caught, args=(judge, row))
    process.start()
    process.join(HOSTILE_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode != -signal.SIGKILL


def main() -> None:
    """Measure one side."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    judge = SIDES[name]()
    caught(judge, {"gold": "x+1", "pred": "1+x", "response": "\\boxed{1+x}"})  # imports
    print(json.dumps({**rates(judge, folder), "hostile": hostile(judge, folder)}))


if __name__ == "__main__":
    main()
