"""`limr run`: a study from its configuration to its page, by Snakemake."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core.errors import InputError, nearest

if TYPE_CHECKING:
    from limr.live.progress import Progress
    from limr.study.study import Study

HELP = "run a study: train, score, select, compare, report; the same command goes on"
EPILOG = """\
STUDY.yaml is a file of yours, or the name of a study that limr brings (demo, published, …).
Results go to results/NAME/ in this folder. What is there is not made again, so that the same
command goes on after an interruption. What stands after -- goes to Snakemake:

  limr run demo
  limr run study.yaml -n                    what would run
  limr run study.yaml --cores 8 -- --keep-going
  limr run study.yaml --profile slurm       on a cluster (docs/slurm.md)
"""
LOCKS = Path(".snakemake/locks")
_PLACE = re.compile(r'  File ".*", line \d+, in ')  # of Snakemake's errors
_SUFFIXES = (".yaml", ".yml", ".json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("words", nargs="*", metavar="STUDY.yaml", help="(demo); may be several")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would run")
    parser.add_argument("--cores", metavar="N", help="processor cores to use (all)")
    parser.add_argument("--profile", help="folder of Snakemake options, such as slurm")


def run(options: argparse.Namespace) -> int:
    """Run the study and say what came out; return Snakemake's exit code, 130 where interrupted.

    Raises:
        InputError: there is no such study or profile, the study is wrong, or another run works.
    """
    from limr.live import reference

    studies, further = _split(options.words, options.profile)
    profile = _profile(options.profile)
    study = _checked(studies, profile, further)
    changes = [] if study is None else reference.kernels(study, studies)
    if not re.fullmatch("all|[1-9][0-9]*", options.cores or "all"):
        raise InputError(f"--cores {options.cores}: expected a whole number from 1, or all.")
    command = _command(studies, profile, options.cores, changes) + further
    if _is_locked():
        refuse_a_second_run()
        subprocess.run([*command, "--unlock", "--quiet"], check=True)  # noqa: S603 (no shell; the user's own words)
    if options.dry_run or _only_asks(further):
        asked = ["--dry-run"] if options.dry_run else []
        return subprocess.run([*command, *asked], check=False).returncode  # noqa: S603 (as above)
    return _run(command, study)


def _split(words: Sequence[str], profile: str | None) -> tuple[list[Path], list[str]]:
    """Return the files of the study, and what is for Snakemake."""
    named: list[str] = []
    for word in words:
        if word.startswith("-") or (named and not word.endswith(_SUFFIXES)):
            break
        named.append(word)
    further = list(words[len(named) :])
    if not named and profile is None and "--configfile" not in further:
        named = ["demo"]
        sys.stderr.write("No study named: the demo (config/demo.yaml).\n")
    return [_study_file(word) for word in named], further


def _study_file(word: str) -> Path:
    """Return the file of a study, which limr may bring."""
    from limr.core import provenance

    ours = provenance.ROOT / "config"
    plain = word.removeprefix("config/")
    tried = [Path(word), *(ours / f"{plain}{end}" for end in ("", ".yaml"))]
    for path in tried:
        if path.is_file():
            relative = path.is_relative_to(Path.cwd()) and path.is_absolute()
            return path.relative_to(Path.cwd()) if relative else path
    if Path(word).is_dir():
        raise InputError(f"{word}: is a folder; name the study's file, such as {word}/study.yaml.")
    near = [str(path) for end in _SUFFIXES for path in Path(word).parent.glob(f"*{end}")]
    raise InputError(f"{word}: there is no such study.{nearest(word, near + shipped())}")


def shipped() -> list[str]:
    """Return the names of the studies that limr brings."""
    from limr.core import provenance

    others = ("sources", "sources.lock", "template")
    found = (path.stem for path in (provenance.ROOT / "config").glob("*.yaml"))
    return sorted(name for name in found if name not in others)


def _profile(name: str | None) -> str | None:
    """Return a profile's folder: the user's, else one that limr brings."""
    from limr.core import provenance

    if name is None or Path(name).exists():
        return name
    ours = provenance.ROOT / "profiles"
    found = ours / Path(name).name
    homes = [Path.home() / ".config/snakemake" / name, Path("/etc/xdg/snakemake") / name]
    if any(home.is_dir() for home in homes):
        return name
    if found.is_dir():
        return str(found)
    known = [path.name for path in ours.iterdir()]
    raise InputError(f"--profile {name}: there is no such folder.{nearest(name, known)}")


def _command(
    studies: list[Path], profile: str | None, cores: str | None, changes: Sequence[str] = ()
) -> list[str]:
    """Return Snakemake's command line."""
    from limr.core import provenance

    if find_spec("snakemake") is None:
        raise InputError(
            "Snakemake is not installed beside this Python. In a clone: `make setup`; else "
            "install limr with its extra: `limr[run]`."
        )
    command = [sys.executable, "-m", "snakemake"]
    if not Path("Snakefile").is_file() and not Path("workflow/Snakefile").is_file():
        command += ["--snakefile", str(provenance.ROOT / "Snakefile")]
    if profile is not None:
        command += ["--profile", profile]
    if cores is not None or profile is None:
        command += ["--cores", cores or "all"]
    command += changes
    if studies:  # the last option ends the list of files
        command += ["--configfile", *map(str, studies), "--rerun-incomplete"]
    return command


def _checked(studies: list[Path], profile: str | None, further: list[str]) -> Study | None:
    """Return the study, checked as a whole before Snakemake starts; None where it cannot be known.

    Raises:
        InputError: the study is wrong.
    """
    from limr.core import files, provenance
    from limr.study.load import load

    if {"--config", "-C", "--configfile", "--configfiles"}.intersection(further):
        return None
    if not studies and profile is not None:
        if not Path(profile).is_dir():  # found elsewhere by Snakemake: which study, only it knows
            return None
        found = sorted(Path(profile).glob("*.yaml"))
        settings = files.read_yaml(found[0]) if found else {}
        named = settings.get("configfile") if isinstance(settings, dict) else None
        studies = [Path(name) for name in named or ["config/config.yaml"]]
        studies = [path for path in studies if path.is_file()]
    if len(studies) != 1:
        return None
    config: Any = files.read_yaml(studies[0])
    if not isinstance(config, dict):
        raise InputError(f"{studies[0]}: expected the keys of a study.")
    marks = Path("config/benchmarks")
    here = Path("Snakefile").is_file() and marks.is_dir()
    return load(config, str(studies[0]), marks if here else provenance.ROOT / marks)


def _only_asks(further: list[str]) -> bool:
    """Return whether Snakemake is only asked something: its answer belongs on the terminal."""
    asks = {"-n", "--dry-run", "--dryrun", "--lint", "--summary", "-S", "--dag", "--rulegraph"}
    asks |= {"--list-rules", "--list", "-l", "--unlock", "--help", "-h", "--version", "--report"}
    return bool(asks.intersection(further))


def _run(command: list[str], study: Study | None) -> int:
    """Run Snakemake under the screen, and end with what a reader wants to know."""
    from limr.live import process, screen
    from limr.live.progress import Progress

    began, progress = time.time(), Progress()
    folder = Path(study.paths.root if study else "results") / "logs"
    log = folder / time.strftime("run-%Y%m%d-%H%M%S.log")
    shown = (
        screen.Screen(study, progress, began, log)
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        else screen.Plain(progress, began)
    )
    sys.stderr.write(f"Snakemake's log: {log}\n")
    events = log.with_suffix(".events.jsonl")
    try:
        code, interrupted = process.follow(
            [*command, "--logger", "limr"], log, events, shown, progress
        )
    finally:
        events.unlink(missing_ok=True)
    if interrupted:
        sys.stderr.write("interrupted; the same command goes on\n")
        return 130
    if code:
        sys.stderr.write("\n".join(_why(progress, log)) + "\n")
        return code
    sys.stdout.write("\n".join(_ending(study, progress, time.time() - began)) + "\n")
    return 0


def _ending(study: Study | None, progress: Progress, seconds: float) -> list[str]:
    """Return what was done, the headline, and where the page is."""
    from limr.live import reference
    from limr.live.progress import in_words

    said = "Nothing was left to do."
    if progress.total:
        said = f"{progress.done} jobs in {in_words(seconds)}."
    lines = [said]
    if study is None:
        return lines
    page, headline = Path(study.paths.report), Path(study.paths.headline)
    if headline.is_file():
        lines += ["", *headline.read_text(encoding="utf-8").strip().splitlines()]
    if page.is_file():
        there = any(str(page) in line for line in lines)
        lines += [] if there else [f"Report: {page}"]
        lines.append(f"`limr open {study.name}` opens it.")
        lines += reference.compared(study.name)
    return lines


def _why(progress: Progress, log: Path) -> list[str]:
    """Return why the run failed: what the job said, or Snakemake, and nothing around it."""
    lines: list[str] = []
    for job in progress.failed:
        lines += [f"Failed: {job.message}", *(f"  {line}" for line in _last_words(job.log))]
        lines += [f"  Its log: {job.log}"] if job.log else []
    if not lines:
        said = _tail(log, 12)
        refused = [line for line in said if line.startswith("snakemake: error: ")]
        texts = [_bare(text) for text in progress.errors] or refused or said
        lines += [text for text in texts if text]
    return [*lines, f"Snakemake's log: {log}", "The same command goes on from here."]


def _last_words(log: Path | None) -> list[str]:
    """Return an error's message from a job's log: from `limr: ` on, else its last lines."""
    if log is None or not log.is_file():
        return []
    lines = _tail(log, 40)
    starts = [number for number, line in enumerate(lines) if line.startswith("limr: ")]
    return lines[starts[-1] :] if starts else lines[-8:]


def _tail(path: Path, number: int) -> list[str]:
    """Return the last lines of a file."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()][-number:]


def _bare(text: str) -> str:
    """Return Snakemake's error without the places in rule files around it."""
    text = "\n".join(line for line in text.splitlines() if not _PLACE.match(line))
    first, _, rest = text.partition("\n")
    return rest.strip() if rest and first.startswith("WorkflowError") else text.strip()


def _is_locked() -> bool:
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def refuse_a_second_run() -> None:
    """Refuse to clear a lock that a live Snakemake of this folder holds.

    Raises:
        InputError: there is one; the message names its process, since when it runs, and what to do.
    """
    import psutil

    here = Path.cwd()
    for process in psutil.process_iter(["pid", "cmdline", "cwd", "create_time", "username"]):
        words = process.info["cmdline"] or []
        is_snakemake = any(Path(word).name == "snakemake" for word in words[:3])
        if is_snakemake and process.info["cwd"] and Path(process.info["cwd"]) == here:
            since = time.strftime("%Y-%m-%d %H:%M", time.localtime(process.info["create_time"]))
            raise InputError(
                f"another run is at work in {here}: process {process.info['pid']} of "
                f"{process.info['username']}, since {since}. Wait for it; or end it with "
                f"`kill -INT {process.info['pid']}` and run this again: it goes on from there."
            )
