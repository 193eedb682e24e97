"""Zips of strangers: refused before anything is written, and each refusal says what it is."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from limr.archive import unpack
from limr.core.errors import InputError


def make(path: Path, entries: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            zipped.writestr(info, content)
    return path


def plain(info: zipfile.ZipInfo) -> None:
    info.external_attr = 0o100644 << 16


def test_a_plain_archive_is_unpacked(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a.txt": b"1", "b/c.txt": b"22"}, plain)
    folder = tmp_path / "out"
    folder.mkdir()
    found = unpack.extract(path, unpack.check(path), folder)
    assert {name: size for name, (size, _) in found.items()} == {"a.txt": 1, "b/c.txt": 2}
    assert (folder / "b/c.txt").read_bytes() == b"22"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.txt", "leads out"),
        ("a/../../out.txt", "leads out"),
        ("/etc/out.txt", "leads out"),
        ("~/out.txt", "characters"),
        ("C:/out.txt", "characters"),
        ("a\\..\\out.txt", "characters"),
        ("a\nb", "characters"),
        ("a\x1b[31mb", "characters"),
        ("a//b", "plain name"),
        ("./a", "plain name"),
        ("folder/", "plain name"),
        ("a" * 2000, "too long"),
        ("/".join("a" * 25), "deeper than 24"),
        ("a" * 256, "too long"),
        ("é" * 128, "too long"),
        (".git/hooks/post-checkout", "plain name"),
        ("a/.GIT", "plain name"),
    ],
)
def test_names_that_lead_elsewhere(name: str, reason: str, tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {name: b"x"}, plain)
    with pytest.raises(unpack.RefusedError, match=reason):
        unpack.check(path)


def test_a_link(tmp_path: Path) -> None:
    def link(info: zipfile.ZipInfo) -> None:
        info.external_attr = (stat.S_IFLNK | 0o777) << 16

    path = make(tmp_path / "a.zip", {"link": b"/etc/passwd"}, link)
    with pytest.raises(unpack.RefusedError, match="a link"):
        unpack.check(path)


def test_a_device(tmp_path: Path) -> None:
    def device(info: zipfile.ZipInfo) -> None:
        info.external_attr = (stat.S_IFCHR | 0o666) << 16

    path = make(tmp_path / "a.zip", {"null": b""}, device)
    with pytest.raises(unpack.RefusedError, match="no regular file"):
        unpack.check(path)


def unpacked(path: Path, folder: Path) -> dict[str, tuple[int, str]]:
    folder.mkdir()
    return unpack.extract(path, unpack.check(path), folder)


def test_a_doubled_name_is_never_written_twice(tmp_path: Path) -> None:
    # Names that differ in case or in Unicode's form are one where the file system says so.
    path = tmp_path / "a.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as zipped:
        warnings.simplefilter("ignore")  # zipfile says that there are two entries of one name
        zipped.writestr("a.txt", "1")
        zipped.writestr("a.txt", "2")
    with pytest.raises(unpack.RefusedError, match="exists"):
        unpacked(path, tmp_path / "out")
    assert (tmp_path / "out/a.txt").read_text() == "1"


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_file_where_a_folder_is(names: tuple[str, str], tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", dict.fromkeys(names, b"1"), plain)
    with pytest.raises(unpack.RefusedError, match=r"a(/b)?: "):
        unpacked(path, tmp_path / "out")


@pytest.mark.parametrize("parts", [1, 18])
def test_a_bomb(parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "FREE_TOTAL", 10 << 20)
    entries = {f"zeros{i}": bytes((18 << 20) // parts) for i in range(parts)}
    path = make(tmp_path / "a.zip", entries, plain)
    assert path.stat().st_size * unpack.RATIO < 10 << 20
    with pytest.raises(unpack.RefusedError, match="more than any study"):
        unpack.check(path)


def test_an_entry_that_is_larger_than_it_says(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"zeros": bytes(1 << 20)}, plain)
    content = path.read_bytes()
    said = struct.pack("<L", 1 << 20)
    assert content.count(said) == 2
    path.write_bytes(content.replace(said, struct.pack("<L", 10)))
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(unpack.RefusedError):
        unpack.extract(path, unpack.check(path), folder)
    assert sum(file.stat().st_size for file in folder.rglob("*")) <= 10


def test_a_million_entries_are_refused_by_the_end_record_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    table = 46 * 1_000_000
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**6, 10**6, table, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, table, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, table, 0, 0)
    with path.open("wb") as file:
        file.truncate(table)
        file.seek(table)
        file.write(end64 + locator + end)
    with pytest.raises(unpack.RefusedError, match="1,000,000 entries"):
        unpack.check(path)


@pytest.mark.slow
def test_a_real_table_of_too_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for number in range(unpack.MOST_ENTRIES + 1):
            zipped.writestr(f"{number}", b"")
    with pytest.raises(unpack.RefusedError, match="entries"):
        unpack.check(path)


def test_entries_that_overlap_unpack_to_no_more_than_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {str(n): b"1" * 1000 for n in range(100)}
    path = make(tmp_path / "a.zip", entries, plain)
    content = bytearray(path.read_bytes())
    place = 0
    while (place := content.find(b"PK\x01\x02", place + 1)) > 0:
        content[place + 42 : place + 46] = struct.pack("<L", 0)  # all begin where the first does
    path.write_bytes(content)
    monkeypatch.setattr(unpack, "FREE_TOTAL", 99_999)
    monkeypatch.setattr(unpack, "RATIO", 1)
    with pytest.raises(unpack.RefusedError, match="more than any study"):
        unpack.check(path)
    monkeypatch.setattr(unpack, "FREE_TOTAL", 100_000)
    with pytest.raises(unpack.RefusedError, match="between its files"):
        unpacked(path, tmp_path / "out")


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.999])
def test_a_truncated_archive(kept: float, tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a": bytes(range(256)) * 50}, plain)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: int(kept if kept > 1 else kept * size)])
    with pytest.raises(unpack.RefusedError, match="cut short"):
        unpack.check(path)


def test_something_before_the_first_file_or_between_two(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a.txt": b"1", "b.txt": b"2" * 99}, plain)
    whole = path.read_bytes()
    second = whole.index(b"PK\3\4", 4)
    table = whole.index(b"PK\1\2")
    path.write_bytes(b"#!/bin/sh\n" + whole)  # zipfile reads it all the same
    with pytest.raises(unpack.RefusedError, match="between its files, at byte 0"):
        unpack.check(path)
    for at in (second, table):  # the offsets behind are made to fit
        entries = bytearray(whole[table:])
        if at == second:
            place = entries.index(b"PK\1\2", 4) + 42
            entries[place : place + 4] = struct.pack("<L", second + 5)
        entries[-6:-2] = struct.pack("<L", table + 5)
        path.write_bytes(whole[:at] + b"hello" + whole[at:table] + entries)
        with pytest.raises(unpack.RefusedError, match=f"between its files, at byte {at}"):
            unpack.check(path)


def test_something_behind_the_end(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a": b"1"}, plain)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(unpack.RefusedError, match="behind it"):
        unpack.check(path)


def test_more_entries_than_the_end_record_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "a.zip", {"a": b"", "b": b"", "c": b""}, plain)
    content = bytearray(path.read_bytes())
    content[-14:-10] = struct.pack("<2H", 1, 1)
    path.write_bytes(content)
    assert len(unpack.check(path)) == 3  # Python counts the table itself
    monkeypatch.setattr(unpack, "MOST_ENTRIES", 2)
    with pytest.raises(unpack.RefusedError, match="3 entries"):
        unpack.check(path)


def test_a_name_that_is_there_already(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a").write_text("mine")
    for name in ("a", "a/b"):
        path = make(tmp_path / "a.zip", {name: b"1"}, plain)
        with pytest.raises(unpack.RefusedError, match="exists"):
            unpack.extract(path, unpack.check(path), folder)
    assert (folder / "a").read_text() == "mine"


def test_a_damaged_entry(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a": bytes(range(256)) * 50}, plain)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(unpack.RefusedError, match="damaged"):
        unpack.extract(path, unpack.check(path), folder)


def test_an_encrypted_entry(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a": b"1"}, plain)
    content = bytearray(path.read_bytes())
    for place in (6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1
    path.write_bytes(content)
    with pytest.raises(unpack.RefusedError, match="encrypted"):
        unpacked(path, tmp_path / "out")


def test_another_compression(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as zipped:
        zipped.writestr("a", b"1")
    with pytest.raises(unpack.RefusedError, match="compressed in a way"):
        unpack.check(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        unpack.check(tmp_path / "none.zip")
