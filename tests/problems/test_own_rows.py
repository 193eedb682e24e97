"""Chosen rows of a user's own file, as they were."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import os
import subprocess
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core import packed
from limr.core.errors import InputError
from limr.problems import dataset_folders, own_file, own_rows, row_files

N = 3000
CHOSEN = [0, 1, 1023, 1024, 2047, 2500, N - 1]
# Every line in another style, which a parser and a writer would not keep.
LINES = [
    b'{"id":%d,  "prompt": "\\u00e9 %d\xe2\x80\xa8x", "x": 1.50, "x2": 1e5}%s'
    % (n, n, b"\r\n" if n % 2 else b"\n")
    for n in range(N)
]
PYTHON = Path(__file__).parents[2] / ".venv-openrlhf/bin/python"  # which has `datasets`


def verl_table():
    rows = [
        {
            "data_source": "a",
            "prompt": [{"role": "user", "content": f"What is {n}?"}],
            "reward_model": {"style": "rule", "ground_truth": str(n)},
            "extra_info": {"index": n, "split": "train"},
            "n": None if n % 3 == 0 else n,
        }
        for n in range(N)
    ]
    table = pa.Table.from_pylist(rows)
    kinds = table.append_column("kind", pa.array(["x", "y", "x"] * (N // 3)).dictionary_encode())
    small = kinds.set_column(4, "n", kinds["n"].cast(pa.int16()))
    return small.replace_schema_metadata({b"mine": b"kept"})


def text_of(path):
    with packed.opened(path) as file:
        return file.read()


@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
def test_lines_are_copied_byte_for_byte(tmp_path, pack):
    source, target = tmp_path / "a.jsonl", tmp_path / f"new/b.jsonl{pack}"
    source.write_bytes(b"\n  \n".join([b"".join(LINES[:2]), b"".join(LINES[2:])])[:-1])
    assert own_rows.write(source, CHOSEN, target) == []
    assert text_of(target) == b"".join(LINES[n] for n in CHOSEN)[:-1]
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_a_packed_source_is_copied_too(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(LINES)))
    own_rows.write(tmp_path / "a.jsonl.gz", CHOSEN, tmp_path / "b.jsonl")
    assert (tmp_path / "b.jsonl").read_bytes() == b"".join(LINES[n] for n in CHOSEN)


def test_entries_of_a_json_list_are_copied_as_they_stand(tmp_path):
    entries = [
        '{\n  "prompt": "[1, \\"]\\u00e9",\n  "x": 1.50}',
        '{"prompt":"b"}',
        '{"prompt": "c"}',
    ]
    (tmp_path / "a.json").write_text("[ " + " ,\n".join(entries) + "\n]\n")
    assert own_rows.write(tmp_path / "a.json", [0, 2], tmp_path / "b.json") == []
    assert (tmp_path / "b.json").read_text() == f"[\n{entries[0]},\n{entries[2]}\n]\n"


def test_csv_records_are_copied_byte_for_byte(tmp_path):
    records = ['"a\r\nb",1,"x"\n', "c,2,x\r\n", '"d ""e""\n\n",3,\n', "f,4,é"]
    header = '"prompt",answer,"z"\r\n'
    (tmp_path / "a.csv").write_bytes(("\ufeff" + header + "\n" + "".join(records)).encode())
    assert own_rows.write(tmp_path / "a.csv", [0, 2, 3], tmp_path / "b.csv") == []
    kept = header + records[0] + records[2] + records[3]
    assert (tmp_path / "b.csv").read_bytes() == kept.encode()
    frame = pd.read_csv(tmp_path / "b.csv")
    assert frame["prompt"].tolist() == ["a\r\nb", 'd "e"\n\n', "f"]


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "none", "lz4"])
def test_parquet_keeps_columns_types_metadata_and_compression(tmp_path, compression):
    table = verl_table()
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(table, source, compression=compression, row_group_size=700)
    assert own_rows.write(source, CHOSEN, target) == []
    found, whole = pq.read_table(target), pq.read_table(source)
    assert found.schema.equals(whole.schema, check_metadata=True)
    assert found.to_pylist() == whole.take(CHOSEN).to_pylist()
    used = [pq.ParquetFile(p).metadata.row_group(0).column(0).compression for p in (source, target)]
    assert used[0] == used[1]
    assert pd.read_parquet(target)["n"].isna().sum() == sum(n % 3 == 0 for n in CHOSEN)


def test_parquet_from_pandas_and_with_old_names_of_lists(tmp_path):
    frame = pd.DataFrame(
        {"prompt": [f"p{n}" for n in range(9)], "l": [[{"a": n}] for n in range(9)]}
    )
    frame.to_parquet(tmp_path / "a.parquet", use_compliant_nested_type=False)
    own_rows.write(tmp_path / "a.parquet", [2, 8], tmp_path / "b.parquet")
    assert pd.read_parquet(tmp_path / "b.parquet")["prompt"].tolist() == ["p2", "p8"]
    a, b = (pq.ParquetFile(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    assert b.schema.equals(a.schema)
    assert b.schema_arrow.equals(a.schema_arrow, check_metadata=True)


def test_many_rows_are_several_row_groups(tmp_path, monkeypatch):
    pq.write_table(verl_table(), tmp_path / "a.parquet")
    monkeypatch.setattr(own_rows, "_GROUP_ROWS", 1000)
    own_rows.write(tmp_path / "a.parquet", range(N), tmp_path / "b.parquet")
    assert pq.ParquetFile(tmp_path / "b.parquet").num_row_groups == 3
    assert pq.read_table(tmp_path / "b.parquet").equals(verl_table())


def test_a_datasets_folder_stays_one(tmp_path):
    table = verl_table()
    dataset_folders.write(tmp_path / "a", table.schema, iter(table.to_batches(500)), None)
    table = table.set_column(5, "kind", table["kind"].cast(pa.string()))
    (tmp_path / "a/dataset_info.json").write_text('{"description": "mine"}')
    assert own_rows.write(tmp_path / "a", CHOSEN, f"{tmp_path}/b.v1/") == []
    shards = dataset_folders.shards(tmp_path / "b.v1")
    found = pa.Table.from_batches(dataset_folders.batches(shards, None, 100))
    assert found.equals(table.take(CHOSEN), check_metadata=True)
    assert (tmp_path / "b.v1/dataset_info.json").read_text() == '{"description": "mine"}'
    states = [json.loads((tmp_path / d / "state.json").read_text()) for d in ("a", "b.v1")]
    assert states[0]["_fingerprint"] != states[1]["_fingerprint"]


def sources(folder):
    """The same rows in every kind of file."""
    rows = [{"prompt": f'p "{n}",\nx', "answer": str(n), "t": ""} for n in range(N)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "a.json").write_text(json.dumps(rows, indent=2))
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, folder / "a.parquet")
    dataset_folders.write(folder / "a", table.schema, iter(table.to_batches()), None)
    return [folder / name for name in ("a.jsonl", "a.json", "a.csv", "a.parquet", "a")]


@pytest.mark.parametrize("place", range(5))
def test_every_kind_becomes_every_other(tmp_path, place):
    source = sources(tmp_path)[place]
    whole = own_file.open_file(source)
    expected = [row for n, (_, row) in enumerate(row_files.rows(source)) if n in CHOSEN]
    for suffix in (".jsonl", ".jsonl.gz", ".json", ".json.zst", ".csv", ".tsv", ".parquet", ""):
        target = tmp_path / f"new-{suffix[1:]}{suffix}"
        notes = own_rows.write(source, CHOSEN, target)
        assert [row for _, row in row_files.rows(target)] == expected, target
        same = own_rows.check_target(tmp_path / f"x{suffix}") == whole.kind
        assert bool(notes) != (same and suffix != ".tsv"), (target, notes)
        found = own_file.open_file(target).problems
        assert [p.prompt for p in found] == [whole.problems[n].prompt for n in CHOSEN]


def test_types_of_json_rows_are_found_over_all_of_them(tmp_path):
    rows = [{"prompt": "p", "x": n, "m": [{"role": "user", "content": "c"}]} for n in range(N)]
    rows[-1] = {"prompt": "p", "x": 0.5, "late": {"a": None, "b": [1]}, "m": []}
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [note] = own_rows.write(tmp_path / "a.jsonl", range(N), tmp_path / "b.parquet")
    assert "keys that a row lacks are null" in note
    found = pq.read_table(tmp_path / "b.parquet")
    assert found.num_rows == N
    assert found["x"].to_pylist() == [float(row["x"]) for row in rows]
    assert found["late"].to_pylist()[-2:] == [None, {"a": None, "b": [1]}]
    assert found["m"].to_pylist() == [row["m"] for row in rows]


def test_what_text_has_no_sign_for(tmp_path):
    day = datetime.datetime(2026, 1, 2, 3, 4, 5)
    table = pa.table({"prompt": ["p", "q"], "d": [day, None], "x": [[float("nan"), 1.0], None]})
    pq.write_table(table, tmp_path / "a.parquet")
    [note] = own_rows.write(tmp_path / "a.parquet", [0, 1], tmp_path / "b.jsonl")
    assert "NaN is null" in note
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert rows == [
        {"prompt": "p", "d": "2026-01-02T03:04:05", "x": [None, 1.0]},
        {"prompt": "q", "d": None, "x": None},
    ]
    own_rows.write(tmp_path / "a.parquet", [0, 1], tmp_path / "b.csv")
    cells = list(csv.reader(io.StringIO((tmp_path / "b.csv").read_text())))
    assert cells[1:] == [["p", "2026-01-02T03:04:05", "[null, 1.0]"], ["q", "", ""]]


@pytest.mark.parametrize(
    ("rows", "name", "message"),
    [
        ([{"prompt": "p", "x": 1}, {"prompt": "q", "x": "a"}], "b.parquet", "mix kinds of values"),
        ([{"prompt": "p", "x": 2**70}], "b.parquet", "mix kinds of values"),
        ([{"prompt": "p", "x": {}}], "b.parquet", r"cannot be a parquet file.*Write \.jsonl"),
        ([{"prompt": "p"}, 3], "b.csv", r"a\.jsonl:2: expected an object"),
        ([{"prompt": "p"}], "b.jsonl", "has 1 rows, and row 2 was chosen. Has it changed"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(tmp_path, rows, name, message):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    chosen = [0, 1] if len(rows) == 2 or name == "b.jsonl" else [0]
    with pytest.raises(InputError, match=message):
        own_rows.write(tmp_path / "a.jsonl", chosen, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def test_bytes_do_not_become_text(tmp_path):
    pq.write_table(pa.table({"prompt": ["p"], "image": [b"\x00"]}), tmp_path / "a.parquet")
    for name in ("b.jsonl", "b.csv"):
        with pytest.raises(InputError, match=r"holds bytes.*Write \.parquet"):
            own_rows.write(tmp_path / "a.parquet", [0], tmp_path / name)
        assert not (tmp_path / name).exists()


def test_targets_are_checked_before_anything_is_computed(tmp_path):
    for name, kind in (
        ("a.jsonl", "jsonl"), ("a.json.gz", "json"), ("A.CSV", "csv"), ("a.parquet", "parquet"),
        ("folder", "folder"), ("new/model-1.5b/", "folder"),
    ):  # fmt: skip
        assert own_rows.check_target(f"{tmp_path}/{name}") == kind
    assert not list(tmp_path.iterdir())
    (tmp_path / "there").mkdir()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    for name, message in (
        ("there", "is there already"),
        ("there/", "is there already"),
        ("link.jsonl", "is there already"),
        ("model-1.5b", "what is it to be.*model-1.5b/' for a folder"),
        ("a.parquet.gz", "what is it to be"),
        ("a.xlsx", "what is it to be"),
        ("file/a.jsonl", "nothing can be written"),
    ):
        with pytest.raises(InputError, match=message):
            own_rows.check_target(f"{tmp_path}/{name}")


@pytest.mark.parametrize("chosen", [[], [1, 1], [2, 1], [-1, 0]])
def test_rows_must_rise(tmp_path, chosen):
    (tmp_path / "a.jsonl").write_bytes(b"".join(LINES))
    with pytest.raises(ValueError, match="rise"):
        own_rows.write(tmp_path / "a.jsonl", chosen, tmp_path / "b.jsonl")


READ = """
import json, sys, datasets
found = [datasets.load_from_disk(path) for path in sys.argv[2:]]
assert found[0]._fingerprint != found[1]._fingerprint
found[0].map(lambda row: {"new": 1}).save_to_disk(sys.argv[1])
print(json.dumps([[d.features.to_dict() == found[0].features.to_dict(), list(d)] for d in found]))
"""


@pytest.mark.slow
def test_datasets_reads_the_folders_and_is_read(tmp_path):
    """A folder from a parquet file, one of two rows of that, and what the library saves again."""
    if not PYTHON.is_file():
        pytest.skip("there is no .venv-openrlhf, which has `datasets`: make openrlhf")
    table = verl_table()
    pq.write_table(table, tmp_path / "a.parquet")
    own_rows.write(tmp_path / "a.parquet", CHOSEN, tmp_path / "b")
    own_rows.write(tmp_path / "b", [1, 3], tmp_path / "c")
    command = [PYTHON, "-c", READ, tmp_path / "d", tmp_path / "b", tmp_path / "c"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    whole = table.take(CHOSEN).to_pylist()
    assert json.loads(done.stdout.splitlines()[-1]) == [[True, whole], [True, [whole[1], whole[3]]]]
    assert own_rows.write(tmp_path / "d", [0, 6], tmp_path / "e") == []
    found = own_file.open_file(tmp_path / "e")
    assert [p.answer for p in found.problems] == ["0", str(N - 1)]
