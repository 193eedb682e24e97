from __future__ import annotations

import bz2
import gzip
import os

import pyarrow as pa
import pytest

from limr.core import packed
from limr.core.errors import InputError

TEXT = "one\nzwei ü\u2028still zwei\nthree".encode()


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstd])
def test_a_file_is_unpacked_by_its_content(tmp_path, pack):
    path = tmp_path / "name.says.nothing"
    path.write_bytes(pack(TEXT))
    with packed.opened(path) as file:
        assert list(file) == [b"one\n", "zwei ü\u2028still zwei\n".encode(), b"three"]


def test_several_packed_parts_in_one_file_are_all_read(tmp_path):
    path = tmp_path / "joined.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    with packed.opened(path) as file:
        assert list(file) == [b"a\n", b"b\n"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_encodings_are_no_text(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("a,ü\n".encode(encoding))
    with packed.opened(path) as file:
        assert file.read() == "a,ü\n".encode()


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".bz2"])
def test_what_is_written_is_packed_by_its_name_and_the_same_each_time(tmp_path, suffix):
    target = tmp_path / f"a.jsonl{suffix}"
    written = []
    for name in ("t1", "t2"):
        with packed.created(tmp_path / name, target) as file:
            file.write(b"row\n" * 10_000)
        written.append((tmp_path / name).read_bytes())
        with packed.opened(tmp_path / name) as file:
            assert file.read() == b"row\n" * 10_000
    assert written[0] == written[1]
    assert (len(written[0]) < 1000) == bool(suffix)


def test_a_packed_file_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(os.urandom(100_000))[:-500])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz.*cut short"):
        packed.opened(path).read()


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        packed.opened(tmp_path / "none")
