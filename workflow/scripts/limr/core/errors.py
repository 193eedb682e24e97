"""Errors that a user can act on: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Bad input: the message names the file, line or key, what was expected, and how to mend it."""


class IntegrityError(InputError):
    """A file is not the file that was promised: wrong size, wrong sha256, cut short."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the choice nearest to `name`, else the list of choices.

    The text starts with a space, so that it can follow a sentence. Empty when there are no choices.
    """
    known = sorted(str(choice) for choice in choices)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if not close and len(str(name)) > 2:  # a part of the name, such as `verl` of `verl-jsonl`
        close = [choice for choice in known if choice.startswith(str(name))]
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known: {', '.join(known)}." if known else ""
