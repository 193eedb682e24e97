"""What a study names outside itself: a user's own files, graders of other packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from limr.core import own_files, plugins
from limr.core.errors import InputError
from limr.grading.grade import check as check_grader
from limr.grading.strictness import grader_of

if TYPE_CHECKING:
    from limr.study.study import Study


def check(study: Study) -> None:
    """Check what a study names outside itself: a user's own files, graders.

    Raises:
        InputError: one is missing, or of no use.
    """
    _check_own_files(study)
    _check_graders(study)


def _check_own_files(study: Study) -> None:
    for name, entry in study.datasets.items():
        for key in ("path", "overrides"):
            if entry.get(key) and not Path(entry[key]).is_file():
                raise InputError(
                    f"{study.where}: dataset '{name}': {key}: there is no file '{entry[key]}'."
                )
    for name, entry in study.config["trajectories"].items():
        if entry.get("path"):
            try:
                own_files.expand(Path(entry["path"]), plugins.load("importers", entry["format"]))
            except InputError as error:
                raise InputError(f"{study.where}: trajectories '{name}': {error}") from None
    for name in study.scores:
        for path in study.score_files(name):
            if not Path(path).is_file():
                raise InputError(f"{study.where}: score '{name}': there is no file '{path}'.")


def _check_graders(study: Study) -> None:
    for key in ("grader", "second_opinion"):
        try:
            check_grader(study.config[key])
        except InputError as error:
            raise InputError(f"{study.where}: {key}: {error}") from None
    for name, benchmark in study.benchmarks.items():
        try:
            check_grader(grader_of(study.config["grader"], benchmark))
        except InputError as error:
            raise InputError(f"{study.where}: benchmark '{name}': {error}") from None
