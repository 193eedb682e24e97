"""`limr plan`: what a study will do and cost, before anything runs."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limr.errors import InputError

HELP = "say what a study will do and cost: jobs, GPU hours, disk, command lines; runs nothing"
EPILOG = """\
GPU hours are an estimate with a low, a central and a high end: docs/plan.md says how it is made and
what it leaves out. Jobs are what `snakemake -n` counts; run this in the project's folder.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.add_argument("study", metavar="STUDY.yaml", type=Path, help="the study")
    parser.add_argument("--gpu", default="h100", help="type of GPU (%(default)s)")
    parser.add_argument("--parameters", type=float, help="of the base model, such as 7.6e9")
    parser.add_argument(
        "--response-tokens",
        type=float,
        help="mean length (assumed: 20, 35, 60 %% of the longest)",
    )
    parser.add_argument(
        "--problems",
        action="append",
        default=[],
        metavar="NAME=N",
        help="problems of an arm or a problem set, where not known yet; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")


def run(args: argparse.Namespace) -> int:
    """Print the plan; return 0.

    Raises:
        InputError: the study is refused, or something must be given that is not known.
    """
    plan = build(args)
    sys.stdout.write(json.dumps(plan, indent=2) + "\n" if args.json else text(plan))
    return 0


def build(args: argparse.Namespace) -> dict[str, Any]:
    """Return the plan as JSON holds it."""
    import yaml

    from limr import provenance, sources
    from limr import study as studies
    from limr.planning import estimate, hardware, jobs, models

    for name in ("parameters", "response_tokens"):
        value = getattr(args, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"--{name.replace('_', '-')} must be greater than 0.")
    gpu = hardware.find(args.gpu)
    if not args.study.is_file():
        raise InputError(f"{args.study}: there is no such file.")
    try:
        config = yaml.safe_load(args.study.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{args.study}: not a YAML file ({error}).") from None
    if not isinstance(config, dict):
        raise InputError(f"{args.study}: expected the keys of a study.")
    here = Path.cwd()
    code = here if (here / "Snakefile").is_file() else provenance.ROOT  # elsewhere: limr's own
    study = studies.load(config, str(args.study), code / "config/benchmarks")
    pinned = sources.load_sources(code / "config/sources.yaml")
    numbers = _problems(args.problems, study)
    given = estimate.Assumptions(gpu, args.response_tokens, numbers, pinned)
    counted = jobs.jobs(args.study.resolve(), here, code)
    results = Path("results") / study.name
    seconds = jobs.measured(results, counted)
    tasks, size = [], None
    if any(estimate.plans(study)) and (study.trained or study.benchmarks):
        size = models.size(study.config["base"], args.parameters)
        tasks = estimate.tasks(study, results, size, given)
    gpu_rules = {task.rule for task in tasks}
    others = {rule: n for rule, n in counted.items() if rule not in gpu_rules}
    return {
        "study": study.name,
        "config": str(args.study),
        "model": size and {"parameters": size.parameters, "source": size.source},
        "gpu": gpu.title if tasks else None,
        "jobs": {
            rule: {"all": n.all, "there": n.there, "to_do": n.to_do} for rule, n in counted.items()
        },
        "gpu_jobs": [task.described() for task in tasks],
        "totals": estimate.totals(tasks, size) if size else None,
        "processor_minutes": estimate.processor_minutes(others, seconds),
    }


def _problems(given: list[str], study: Any) -> dict[str, int]:
    from limr.errors import nearest

    found: dict[str, int] = {}
    known = [*study.arms, *study.datasets]
    for entry in given:
        name, equals, number = entry.partition("=")
        if not equals or not number.isdecimal() or int(number) < 1:
            raise InputError(f"--problems {entry}: expected NAME=N with a whole number.")
        if name not in known:
            raise InputError(f"--problems {entry}: no arm or problem set.{nearest(name, known)}")
        found[name] = int(number)
    return found


def text(plan: dict[str, Any]) -> str:
    """Return the plan for people."""
    model = plan["model"]
    lines = [f"Study '{plan['study']}' ({plan['config']})"]
    if model:
        lines.append(
            f"Base model: {model['parameters'] / 1e9:.2f} B parameters ({model['source']})"
        )
    rows = [
        (rule, str(n["all"]), str(n["there"]), str(n["to_do"])) for rule, n in plan["jobs"].items()
    ]
    lines += ["", *_table(("jobs", "all", "there", "to do"), rows)]
    if plan["gpu_jobs"]:
        lines += ["", *_gpu_lines(plan)]
    if plan["processor_minutes"]:
        lines += ["", *_processor_lines(plan["processor_minutes"])]
    return "\n".join(lines) + "\n"


def _gpu_lines(plan: dict[str, Any]) -> list[str]:
    rows = []
    for task in plan["gpu_jobs"]:
        place = f"{task['nodes']} x {task['gpus'] // task['nodes']}"
        left = f"{task['to_do']} of {task['jobs']}"
        each = (_range(task["hours_each"]), _range(task["gpu_hours_each"]))
        rows.append((f"{task['rule']} {task['arm']}", left, place, *each, task["problems"]))
    head = ("GPU jobs", "to do", "nodes x GPUs", "hours each", "GPU hours each", "problems")
    total = plan["totals"]
    lines = [f"GPU: {plan['gpu']}; ranges are low, central, high", *_table(head, rows), ""]
    lines += [
        f"GPU hours: {_range(total['gpu_hours'])}; still to do: {_range(total['gpu_hours_left'])}",
        f"Disk: {_range(total['kept_gb'])} GB of results, and up to "
        f"{total['state_gb_one_run']:g} GB of checkpoints for each run while it trains",
    ]
    for task in plan["gpu_jobs"]:
        for note in task["notes"]:
            lines.append(f"{task['rule']} {task['arm']}: {note}")
        for command in task["commands"]:
            lines += ["", f"# {task['rule']}, arm {task['arm']}", shlex.join(command)]
    return lines


def _processor_lines(minutes: dict[str, float | None]) -> list[str]:
    rows = [(rule, "unknown" if n is None else f"{n:g}") for rule, n in minutes.items()]
    known = [n for n in minutes.values() if n is not None]
    if known:
        more = "" if len(known) == len(minutes) else ", and the unknown"
        rows.append(("together", f"{sum(known):.3g}{more}"))
    return _table(("on a CPU, still to do", "minutes (as in an earlier run)"), rows)


def _range(found: dict[str, float]) -> str:
    return " / ".join(f"{float(f'{found[end]:.2g}'):,g}" for end in ("low", "central", "high"))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
