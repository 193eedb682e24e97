"""Show what differs between two states of the locks: `differences.py BEFORE AFTER`, two folders.

`make lock` calls it after it has resolved every environment again. Package by package: added,
removed, another version; packages whose hashes alone differ are counted, since those are files that
were published for the same version later (or replaced: look at them where you expected none).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(\s*;[^\\]+)?")
_HASH = re.compile(r"--hash=(\w+:[0-9a-f]+)")


@dataclass(frozen=True)
class Package:
    """What a lock says of a package: its version or versions (by marker), and all hashes."""

    version: str
    hashes: frozenset[str]


@dataclass(frozen=True)
class Difference:
    """What differs between two states of one lock; `changed` has name, old and new version."""

    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str, str], ...]
    rehashed: tuple[str, ...]
    packages: int

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.rehashed)


def read(path: Path) -> dict[str, Package]:
    """Return the packages of a lock by name; none where there is no such file.

    Raises:
        ValueError: a line is neither a pinned package nor a hash of one; it is named.
    """
    versions: dict[str, list[str]] = {}
    hashes: dict[str, set[str]] = {}
    name = ""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        text = line.strip().removesuffix("\\").strip()
        if not text or text.startswith("#"):
            continue
        found = _PIN.fullmatch(text)
        if found:
            name = re.sub(r"[-_.]+", "-", found[1]).lower()
            marker = " ".join((found[3] or "").split())
            versions.setdefault(name, []).append(" ".join(filter(None, [found[2], marker])))
            hashes.setdefault(name, set())
        elif name and (digest := _HASH.fullmatch(text)):
            hashes[name].add(digest[1])
        else:
            raise ValueError(
                f"{path}:{number}: '{text[:60]}' is neither NAME==VERSION nor a hash of one. "
                "Locks are written by `make lock` alone."
            )
    return {
        name: Package(", ".join(sorted(versions[name])), frozenset(hashes[name]))
        for name in versions
    }


def compare(before: dict[str, Package], after: dict[str, Package]) -> Difference:
    """Return what differs between two states of a lock."""
    both = sorted(before.keys() & after.keys())
    same = [name for name in both if before[name].version == after[name].version]
    return Difference(
        added=tuple((name, after[name].version) for name in sorted(after.keys() - before.keys())),
        removed=tuple(
            (name, before[name].version) for name in sorted(before.keys() - after.keys())
        ),
        changed=tuple(
            (name, before[name].version, after[name].version) for name in both if name not in same
        ),
        rehashed=tuple(name for name in same if before[name].hashes != after[name].hashes),
        packages=len(after),
    )


def describe(lock: str, found: Difference) -> list[str]:
    """Return the lines that a person reads of one lock that differs."""
    counts = [
        f"{len(found.added)} added",
        f"{len(found.removed)} removed",
        f"{len(found.changed)} at another version",
        f"{len(found.rehashed)} with other hashes only",
    ]
    return [
        f"{lock} ({found.packages} packages): {', '.join(counts)}",
        *(f"  + {name} {version}" for name, version in found.added),
        *(f"  - {name} {version}" for name, version in found.removed),
        *(f"    {name} {old} -> {new}" for name, old, new in found.changed),
        *([f"    other hashes: {', '.join(found.rehashed)}"] if found.rehashed else []),
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the differences of all locks of two folders."""
    if len(arguments) != 2:
        sys.stderr.write("usage: differences.py FOLDER_BEFORE FOLDER_AFTER\n")
        return 2
    before, after = map(Path, arguments)
    names = sorted({path.name for folder in (before, after) for path in folder.glob("*.lock")})
    same = []
    for name in names:
        try:
            found = compare(read(before / name), read(after / name))
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        if found:
            sys.stdout.write("\n".join(describe(name, found)) + "\n")
        else:
            same.append(name)
    if same:
        sys.stdout.write(f"no difference: {', '.join(same)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
