"""`limr plan`: what a study will do and cost, before anything runs."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.plan.text import in_words, table

HELP = "say what a study will do and cost: jobs, GPU hours, disk, command lines; runs nothing"
EPILOG = """\
GPU hours are an estimate with a low, a central and a high end: docs/plan.md says how it is made and
what it leaves out. Jobs to do are those whose files are not there; `snakemake -n` also sees changed
settings. Run this in the project's folder.
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
    parser.add_argument(
        "--check",
        action="store_true",
        help="look also whether this machine has the base model, the files of the mirror, and room "
        "on the disk; exit code 2 where it has not",
    )
    parser.add_argument(
        "--accuracy", type=float, help="in percent, for the detectable difference (assumed: 50)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")


def run(args: argparse.Namespace) -> int:
    """Print the plan; return 0. Raises InputError where the study or an option is refused."""
    plan = build(args)
    sys.stdout.write(json.dumps(plan, indent=2) + "\n" if args.json else text(plan))
    if args.check:
        _check(args.study)
    return 0


def _check(path: Path) -> None:
    """Say on stderr what the preflight finds on this machine, or raise InputError."""
    from limr.plan import preflight
    from limr.sources import pinned as sources

    study = _study(path)
    pinned = sources.load_sources(_code() / "config/sources.yaml")
    mirror = os.environ.get("LIMR_MIRROR") or study.config["mirror"]
    preflight.check(study, Path("results") / study.name, pinned, mirror)


def build(args: argparse.Namespace) -> dict[str, Any]:
    """Return the plan, as `--json` prints it."""
    from limr.analysis import sureness
    from limr.plan import bill, counts, detectable, estimate, grid, hardware, jobs, models
    from limr.sources import pinned as sources

    for name in ("parameters", "response_tokens"):
        value = getattr(args, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"--{name.replace('_', '-')} must be greater than 0.")
    share = None if args.accuracy is None else args.accuracy / 100
    if share is not None and not 0 < share < 1:
        raise InputError("--accuracy must lie between 0 and 100, both excluded.")
    gpu = hardware.find(args.gpu)
    study, here, code = _study(args.study), Path.cwd(), _code()
    pinned = sources.load_sources(code / "config/sources.yaml")
    numbers = _problems(args.problems, study)
    counted = jobs.jobs(study, here, code)
    results = Path("results") / study.name
    sizes = counts.Counts(study, results, numbers, pinned)
    seconds = jobs.measured(results, counted)
    tasks, size = [], None
    if any(estimate.plans(study)) and (study.trained or study.benchmarks):
        size = models.size(study.config["base"], args.parameters)
        given = estimate.Assumptions(sizes, size, gpu, args.response_tokens)
        tasks = estimate.tasks(given)
    gpu_rules = {"preflight", *(task.rule for task in tasks)}
    others = {rule: n for rule, n in counted.items() if rule not in gpu_rules}
    return {
        "study": study.name,
        "config": str(args.study),
        "model": size and {"parameters": size.parameters, "source": size.source},
        "gpu": gpu.title if tasks else None,
        "jobs": {
            rule: {"all": n.all, "there": n.there, "to_do": n.to_do} for rule, n in counted.items()
        },
        "gpu_jobs": [{**task.described(), **_of(study, task.arm)} for task in tasks],
        "bill": bill.bill(study, sizes),
        "totals": estimate.totals(tasks, size) if size else None,
        "choices": sureness.plan(study, sizes),
        "detectable": detectable.plan(study, sizes, share),
        **estimate.states(study),
        "processor_minutes": estimate.processor_minutes(others, seconds),
        **({"sweep": grid.plan(study, sizes, tasks, share)} if study.axes else {}),
    }


def _of(study: Any, arm: str) -> dict[str, str]:
    """Return the name in the file of an arm that is a cell of a sweep."""
    return {"of": study.arms[arm].of} if study.arms[arm].of else {}


def _code() -> Path:
    """Return the project's folder: this one if it has a Snakefile, else limr's own."""
    from limr.core import provenance

    here = Path.cwd()
    return here if (here / "Snakefile").is_file() else provenance.ROOT


def _study(path: Path) -> Any:
    """Read a study, checked as a whole."""
    from limr.core import files
    from limr.study.load import load as load_study

    ours = _code() / "config" / f"{path}.yaml"  # a study that limr brings, named as for `limr run`
    config = files.read_yaml(ours if not path.exists() and ours.is_file() else path)
    if not isinstance(config, dict):
        found = "the file is empty" if config is None else f"found a {type(config).__name__}"
        raise InputError(
            f"{path}: expected the keys of a study; {found}. config/template.yaml is one to begin "
            "with."
        )
    return load_study(config, str(path), _code() / "config/benchmarks")


def _problems(given: list[str], study: Any) -> dict[str, int]:
    from limr.core.errors import nearest

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
    """Return the plan as text for people."""
    model = plan["model"]
    lines = [f"Study '{plan['study']}' ({plan['config']})"]
    if model:
        lines.append(
            f"Base model: {model['parameters'] / 1e9:.2f} B parameters ({model['source']})"
        )
    rows = [
        (rule, str(n["all"]), str(n["there"]), str(n["to_do"])) for rule, n in plan["jobs"].items()
    ]
    lines += ["", *table(("jobs", "all", "there", "to do"), rows)]
    if "sweep" in plan:
        from limr.plan import grid_text

        lines += ["", *grid_text.lines(plan["sweep"])]
    if plan["gpu_jobs"]:
        lines += ["", *_gpu_lines(plan)]
    if found := plan.get("states"):
        size = f"{found['n']} of {1e3 * found['gb_each']:.3g} MB, {1e3 * found['gb']:.3g} MB in all"
        lines += ["", _states_line(size)]
    if plan["bill"]:
        lines += ["", *_bill_lines(plan["bill"])]
    if plan["processor_minutes"]:
        lines += ["", *_processor_lines(plan["processor_minutes"])]
    if plan["choices"]:
        from limr.analysis import sureness

        lines += ["", *sureness.lines(_alike(plan["choices"]))]
    lines += ["", *plan["detectable"]["lines"]] if plan["detectable"] else []
    return "\n".join(lines) + "\n"


def _alike(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is said of scores, once where it is the same of several, as in a sweep."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in choices:
        found.setdefault(json.dumps({**row, "score": ""}), []).append(row)
    return [
        {**rows[0], "score": rows[0]["score"] + (f" and {len(rows) - 1} more" * (len(rows) > 1))}
        for rows in found.values()
    ]


def _gpu_lines(plan: dict[str, Any]) -> list[str]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}  # the cells of an arm are together
    for task in plan["gpu_jobs"]:
        work = task["rule"].partition("_")[0] if "of" in task else task["rule"]
        groups.setdefault((work, task.get("of", task["arm"])), []).append(task)
    head = ("GPU jobs", "to do", "nodes x GPUs", "hours each", "GPU hours each", "problems")
    total = plan["totals"]
    lines = [
        f"GPU: {plan['gpu']}; ranges are low, central, high",
        *table(head, [_gpu_row(tasks) for tasks in groups.values()]),
        "",
        f"GPU hours: {in_words(total['gpu_hours'])}; still to do: "
        f"{in_words(total['gpu_hours_left'])}",
        f"Disk: {in_words(total['kept_gb'])} GB of results, and up to "
        f"{total['state_gb_one_run']:g} GB of checkpoints for each run while it trains",
    ]
    if "starts_gb" in total:
        lines.append(_states_line(f"{total['starts_gb']:g} GB in all"))
    for task, *others in groups.values():
        for note in task["notes"]:
            lines.append(f"{task['rule']} {task['arm']}: {note}")
        more = f"; those of {len(others)} more cells differ in their values" if others else ""
        for command in task["commands"]:
            lines += ["", f"# {task['rule']}, arm {task['arm']}{more}", shlex.join(command)]
    return lines


def _states_line(size: str) -> str:
    return (
        f"States that arms start from: {size}, if none is deleted before the last is made; each "
        "goes after its last use (states: keep keeps them)"
    )


def _gpu_row(tasks: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return a row of the table of GPU jobs: of an arm, or of all cells of one."""
    first = tasks[0]
    places = {f"{task['nodes']} x {task['gpus'] // task['nodes']}": None for task in tasks}
    left, jobs = (sum(task[key] for task in tasks) for key in ("to_do", "jobs"))
    same = len({task["problems"] for task in tasks}) == 1
    return (
        f"{first['rule']} {first['arm']}" + (f" and {len(tasks) - 1} more" * (len(tasks) > 1)),
        f"{left} of {jobs}",
        ", ".join(places),
        in_words(_envelope([task["hours_each"] for task in tasks])),
        in_words(_envelope([task["gpu_hours_each"] for task in tasks])),
        first["problems"] if same else "by cell",
    )


def _envelope(ranges: list[dict[str, float]]) -> dict[str, float]:
    """Return the lowest end, the mean of the central ones, the highest end."""
    low, central, high = ([one[end] for one in ranges] for end in ("low", "central", "high"))
    return {"low": min(low), "central": sum(central) / len(central), "high": max(high)}


def _bill_lines(found: list[dict[str, Any]]) -> list[str]:
    from limr.plan import bill

    head = (
        "the bill of choosing", "own steps", "scoring steps", "in all", "rollouts in all",
        "uses: steps to save", "scored from",
    )  # fmt: skip
    seeds = found[0]["runs"]
    lines = [*table(head, bill.lines(found))]
    if any(row["at_equal_steps"] for row in found):
        lines += [
            "At equal steps a chosen subset never pays its scoring run back. It pays after so many "
            "uses (seeds, models, reruns)",
            "where each reaches the same accuracy in so many steps fewer. This study makes "
            f"{seeds} use{'s' if seeds > 1 else ''} of each.",
        ]
    return lines


def _processor_lines(minutes: dict[str, float | None]) -> list[str]:
    rows = [(rule, "unknown" if n is None else f"{n:g}") for rule, n in minutes.items()]
    known = [n for n in minutes.values() if n is not None]
    if known:
        more = "" if len(known) == len(minutes) else ", and the unknown"
        rows.append(("together", f"{sum(known):.3g}{more}"))
    return table(("on a CPU, still to do", "minutes (as in an earlier run)"), rows)
