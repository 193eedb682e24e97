"""Which code a study was run with: the files, their commit, and proof that they are that commit.

A commit's name is the sha1 of its text, which names the sha1 of its tree, which is made from the
files. With the text in the archive (`provenance/commit`) anybody can therefore check, without git
and without a network, that the archived files are exactly those of the commit.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from limr.core import provenance
from limr.core.errors import InputError, IntegrityError

# What is archived of a folder that is not in git.
PARTS = ("Snakefile", "Makefile", "pyproject.toml", "README.md", "LICENSE", "CITATION.cff")
FOLDERS = ("workflow", "config", "profiles", "envs")
EXECUTABLE, PLAIN, LINK = "100755", "100644", "120000"
_LARGEST_SOURCE = 2 << 20  # bytes
_LONGEST_TARGET = 1024  # bytes of a link's target


@dataclass(frozen=True)
class Code:
    """The code of a folder.

    Attributes:
        files: path -> git's mode; links are those of mode 120000, and are archived as their target.
        commit: the commit's name, None outside git.
        text: the commit's own text, as git keeps it.
        changed: files that differ from the commit, or that it does not know, sorted.
        diff: the difference from the commit.
    """

    files: Mapping[str, str]
    commit: str | None = None
    text: bytes = b""
    changed: tuple[str, ...] = ()
    diff: bytes = b""


def read(root: Path) -> Code:
    """Return the code in a folder, with its commit where it is a git repository.

    Raises:
        InputError: git is there and cannot read its own repository.
    """
    if not (root / ".git").exists():
        found = [root / name for name in PARTS] + [
            path for name in FOLDERS for path in (root / name).rglob("*")
        ]
        kept = (path for path in found if path.is_file() and "__pycache__" not in path.parts)
        names = sorted(path.relative_to(root).as_posix() for path in kept)
        return Code({name: PLAIN for name in names if not name.endswith(".pyc")})
    modes = {}
    for entry in _git(root, "ls-files", "--stage", "-z").decode().split("\0")[:-1]:
        about, name = entry.split("\t", 1)
        if (root / name).is_file() or (root / name).is_symlink():
            modes[name] = about.split()[0]
    others = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *PARTS, *FOLDERS)
    untracked = [name for name in others.decode().split("\0")[:-1] if (root / name).is_file()]
    modes |= dict.fromkeys(untracked, PLAIN)
    differing = _git(root, "diff", "HEAD", "--name-only", "--no-renames", "-z").decode()
    return Code(
        files=dict(sorted(modes.items())),
        commit=_git(root, "rev-parse", "HEAD").decode().strip(),
        text=_git(root, "cat-file", "commit", "HEAD"),
        changed=tuple(sorted({*differing.split("\0")[:-1], *untracked})),
        diff=_git(root, "diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--no-renames"),
    )


def state(root: Path) -> str:
    """Return the commit of the code in a folder, with a digest of what differs from it."""
    found = read(root)
    if not found.changed:
        return found.commit or "not in git"
    digest = hashlib.sha256(found.diff)
    for name in found.changed:
        path = root / name
        digest.update(name.encode() + (path.read_bytes() if path.is_file() else b""))
    return f"{found.commit} changed {digest.hexdigest()[:16]}"


def _git(root: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)  # noqa: S603 (a fixed command)
    except FileNotFoundError:
        raise InputError(
            f"{root} is a git repository, but there is no git here to say which commit it is. "
            "Install git."
        ) from None
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", b"") or b""
        raise InputError(
            f"git {arguments[0]} failed in {root}: {said.decode(errors='replace').strip() or error}"
        ) from None
    return done.stdout


def commit_name(text: bytes) -> str:
    """Return the name of a commit with this text."""
    return _object("commit", text).hex()


def tree_of_commit(text: bytes) -> str | None:
    """Return the tree that a commit's text names."""
    first = text.split(b"\n", 1)[0].decode(errors="replace").split()
    return first[1] if len(first) == 2 and first[0] == "tree" else None


def tree_name(files: Mapping[str, tuple[str, Path]]) -> str:
    """Return git's name of a tree.

    Args:
        files: path -> (git's mode, the file with its content).
    """
    blobs = {
        name: (mode, _object("blob", path.read_bytes())) for name, (mode, path) in files.items()
    }
    return _tree(blobs).hex()


def _tree(blobs: Mapping[str, tuple[str, bytes]]) -> bytes:
    entries: list[tuple[bytes, bytes]] = []  # what git sorts by, and the line of the tree
    below: dict[str, dict[str, tuple[str, bytes]]] = {}
    for name, (mode, digest) in blobs.items():
        head, slash, rest = name.partition("/")
        if slash:
            below.setdefault(head, {})[rest] = (mode, digest)
        else:
            entries.append((head.encode(), f"{mode} {head}\0".encode() + digest))
    for head, part in below.items():
        entries.append((f"{head}/".encode(), f"40000 {head}\0".encode() + _tree(part)))
    return _object("tree", b"".join(line for _, line in sorted(entries)))


def _object(kind: str, content: bytes) -> bytes:
    head = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).digest()


# --- links ---------------------------------------------------------------------------------------


def links(
    folder: Path, code: Mapping[str, Any], files: Mapping[str, tuple[int, str]]
) -> dict[str, str]:
    """Return link -> target of archived code, where a link is a file whose text is the target.

    A target must be relative and may go up at its start alone: behind a name, which may be another
    link, '..' is not what it seems.

    Args:
        folder: the unpacked archive.
        code: the record's part on the code, with `links` and `files`.
        files: name -> (bytes, sha256) of the archive's files.

    Raises:
        IntegrityError: a link is no file of the code, or may lead out of the folder.
    """
    found = {}
    known = set(code["files"]) & set(files)
    for name in code["links"]:
        if name not in known or files[name][0] > _LONGEST_TARGET:
            raise IntegrityError(f"{name}: a link of the code that is no file of the archived code")
        target = PurePosixPath((folder / name).read_bytes().decode(errors="replace"))
        up = next((n for n, part in enumerate(target.parts) if part != ".."), len(target.parts))
        inside = target.parts and not target.is_absolute() and "\0" not in str(target)
        if not inside or up >= len(PurePosixPath(name).parts) or ".." in target.parts[up:]:
            raise IntegrityError(
                f"{name}: a link of the code that leads out of the folder, or may: {str(target)!r}"
            )
        found[name] = str(target)
    return found


# --- modules -------------------------------------------------------------------------------------


def module_digests(root: Path) -> dict[str, str]:
    """Return path under `workflow/` -> sha256 of every Python file there."""
    folder = root / "workflow"
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.py"))
    }


def rule_digest(root: Path, script: str, plugins: Iterable[str] = ()) -> str:
    """Return `limr.core.provenance.code_digest` of the code in another folder; nothing is executed.

    Raises:
        InputError: the code cannot be read as Python.
    """
    scripts = root / "workflow/scripts"
    try:
        large = [p.name for p in scripts.rglob("*.py") if p.stat().st_size > _LARGEST_SOURCE]
        if large:
            raise InputError(f"{large[0]}: larger than any source file of limr.")
        return provenance.code_digest(script, plugins, scripts)
    except (OSError, SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise InputError(f"{script}.py: its code cannot be read ({error}).") from None
