"""Which column of a log says whether a response is correct, by its name.

A reward of form, length or style is never correctness, and of several possible columns none is
taken: the user names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from limr.core.errors import InputError, nearest

_CORRECT = re.compile(
    r"(^|[_/.])(acc|accuracy|correct|correctness|is_correct|passed|solved|success)([_/.]|$)"
)
_REWARD = re.compile(r"(^|[_/.])(rewards?|scores?)([_/.]|$)")
# What a reward of form, length or style is called: never whether a response is correct.
_FORM = re.compile(
    r"format|think|tag|xml|length|len(_|$)|penalt|language|repetit|style|cosine|token"
)
# What is a count, a statistic or a setting, whatever else is in its name.
_OTHER = re.compile(
    r"^(n|num|number|count|total|max|min|mean|avg|average)_|_(count|mean|avg|std|var|min|max|id|"
    r"model|weight|threshold|baseline)$|advantage|log_?prob"
)


def says_correct(name: str) -> bool:
    """Tell whether a column is called like one that says what is correct."""
    name = name.lower()
    return bool(_CORRECT.search(name)) and not _FORM.search(name) and not _OTHER.search(name)


def is_reward(name: str) -> bool:
    """Tell whether a column is called like a reward, of whatever."""
    name = name.lower()
    return bool(_REWARD.search(name) or _CORRECT.search(name)) and not _OTHER.search(name)


def chosen(where: str, names: Sequence[str], named: str | None) -> str:
    """Return the one column that tells whether a response is correct.

    Args:
        where: the file, for messages.
        names: the columns that may be rewards.
        named: what the user named (`reward`); None: nothing.

    Raises:
        InputError: no column, or several, may say it; or none is called as named.
    """
    if named is not None:
        if named not in names:
            raise InputError(f"{where}: reward: no column '{named}'.{nearest(named, names)}")
        return named
    others = [name for name in names if not _FORM.search(name.lower())]
    found = [name for name in others if says_correct(name)] or others
    if len(found) == 1:
        return found[0]
    if names and not others:
        raise InputError(
            f"{where}: the only rewards are {', '.join(names)}, which by name reward the form of "
            "a response, not a correct answer. If one tells whether a response is correct, name "
            "it: `reward: NAME`."
        )
    which = f"{len(found)} columns may be the reward ({', '.join(found)})"
    raise InputError(
        f"{where}: {which if found else 'no column is called like a reward'}. Name the one that "
        "says whether a response is correct: `reward: NAME` (on the command line --reward NAME)."
    )
