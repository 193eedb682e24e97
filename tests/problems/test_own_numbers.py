"""Numbers and vectors by problem from a user's own file, in every form and in every bad one."""

import gzip
import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core.errors import InputError
from limr.problems import own_embeddings, own_numbers

WANTED = {"a": 0.5, "7": -2.0, "c": math.nan}


def written(folder, name, content):
    path = folder / name
    if name.endswith(".parquet"):
        pq.write_table(pa.table(content), path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(content.encode()))
    elif name.endswith(".npy"):
        np.save(path, content)
    else:
        path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"a": 0.5, "7": -2, "c": null}'),
        ("a.json", '{\n "a": "0.5",\n "7": -2.0,\n "c": NaN\n}'),
        ("a.json.gz", '{"a": 0.5, "7": -2, "c": null}'),
        ("a.json", '[{"id": "a", "x": 0.5}, {"id": 7, "x": -2}, {"id": "c", "x": null}]'),
        ("a.jsonl", '{"id": "a", "x": 0.5}\n{"id": 7, "x": -2}\n\n{"id": "c", "x": null}\n'),
        ("a.json", '{"id": "a", "x": 0.5}\n{"id": "7", "x": -2}\n{"id": "c", "x": null}\n'),
        ("a.csv", "problem_id,id,x\na,1,0.5\n7,2,-2\nc,3,\n"),
        ("a.tsv", "x\tid\n0.5\ta\n-2\t7\nnan\tc\n"),
        (
            "a.parquet",
            {"problem_id": ["a", "7", "c"], "x": [0.5, -2, None], "reason": ["", "", ""]},
        ),
    ],
)
def test_numbers_in_every_form(tmp_path, name, content):
    found = own_numbers.read(written(tmp_path, name, content), "x")
    assert list(found) == list(WANTED)
    assert list(found.values()) == pytest.approx(list(WANTED.values()), nan_ok=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"a": 1, "b": 2, "a": 3}', r"a.json: 'a' is there twice"),
        ("a.csv", "id,x\na,1\na,1\n", r"a.csv:3: 'a' is there twice"),
        ("a.parquet", {"id": ["a", "a"], "x": [1, 1]}, r"row 2: 'a' is there twice"),
        ("a.json", '{"a": Infinity}', r"'a': expected a finite number, found 'inf'"),
        ("a.json", '{"a": 1e999}', r"'a': expected a finite number"),
        ("a.json", '{"a": true}', r"'a': expected a finite number, found 'True'"),
        ("a.json", '{"a": {"score": 1}}', r"'a': expected a finite number"),
        ("a.json", '{"a": [1, 2]}', r"'a': expected a finite number, found '\[1, 2\]'"),
        ("a.csv", "id,x\na,much\n", r"a.csv:2: 'a': expected a finite number, found 'much'"),
        ("a.csv", "id,x\na,1_0\n", r"a.csv:2: 'a': expected a finite number, found '1_0'"),
        ("a.csv", "id,y\na,1\n", r"no column 'x'. Known: id, y"),
        ("a.csv", "name,x\na,1\n", r"no column 'problem_id' or 'id'; found \['name', 'x'\]"),
        ("a.jsonl", '{"id": "a", "x": 1}\n{"id": "b"}\n', r"a.jsonl:2: no column 'x'"),
        (
            "a.json",
            '[{"id": null, "x": 1}]',
            r"the id must be a text or a whole number, found None",
        ),
        ("a.json", '[["a", 1]]', r"entry 1: expected a row with an id and 'x', found \['a', 1\]"),
        ("a.json", "{}", r"a.json: it holds no numbers"),
        ("a.json", '{"a": 1', r"a.json: not valid JSON"),
        ("a.json", '{"a": 1} x', r"not valid JSON|one JSON object a line"),
        ("a.json", "[" * 10**5, r"not valid JSON"),
        ("a.parquet", {"id": ["a"], "y": [1]}, r"no column 'x'"),
    ],
)
def test_bad_numbers_are_refused(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message):
        own_numbers.read(written(tmp_path, name, content), "x")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x.json: there is no such file"):
        own_numbers.read(tmp_path / "x.json", "x")
    with pytest.raises(InputError, match=r"x.npy: there is no such file"):
        own_embeddings.read(str(tmp_path / "x.npy"), None)


def vectors_of(folder, name, content, ids=None):
    path = written(folder, name, content)
    return own_embeddings.read(path, written(folder, "ids.txt", ids) if ids else None)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    columns = [pa.array(["a"]), pa.array([1.0]), pa.array([2.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "x", "x"]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="the column 'x' is there twice"):
        own_numbers.read(tmp_path / "a.parquet", "x")


def test_vectors_of_both_files_are_the_same(tmp_path):
    content = np.arange(6.0).reshape(3, 2)
    ids, found = vectors_of(tmp_path, "v.npy", content, ids="a\nb\nc\n")
    assert (ids, found.tolist()) == (["a", "b", "c"], content.tolist())
    kinds = (pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2))
    for kind in kinds:
        column = pa.array(content.tolist(), kind)
        table = {"problem_id": ["a", "b", "c"], "embedding": column}
        again, same = vectors_of(tmp_path, f"{kind.id}.parquet", table)
        assert (again, same.tolist()) == (ids, found.tolist())


@pytest.mark.parametrize(
    ("name", "content", "ids", "message"),
    [
        ("v.npy", np.eye(2), None, r"v.npy: a .npy has no ids: name a file of them, in `ids`"),
        ("v.npy", np.eye(2), "a\n", r"v.npy: 2 vectors, and 1 ids in .*ids.txt"),
        ("v.npy", np.eye(2), "a\na\n", r"'a' is there twice"),
        ("v.npy", np.ones(3), "a\n", r"expected a two-dimensional .npy of numbers"),
        ("v.npy", np.array([["a"]]), "a\n", r"expected a two-dimensional .npy of numbers"),
        ("v.npy", np.array([[{}]], object), "a\n", r"v.npy: not a readable .npy of numbers"),
        ("v.npy", np.array([[1, np.nan]]), "a\n", r"the vector of 'a' has a number that is not"),
        ("v.npy", np.array([[1e300]]), "a\n", r"the vector of 'a' has a number that is not"),
        ("v.parquet", {"id": ["a", "b"], "embedding": [[1], [1, 2]]}, None, r"lists of one length"),
        ("v.parquet", {"id": ["a"], "embedding": [[]]}, None, r"lists of one length"),
        ("v.parquet", {"id": ["a"], "embedding": [None]}, None, r"must hold lists of numbers"),
        ("v.parquet", {"id": ["a"], "embedding": [[None]]}, None, r"is not finite"),
        ("v.parquet", {"id": ["a"], "embedding": [1.0]}, None, r"must hold lists of numbers"),
        ("v.parquet", {"id": ["a"], "embedding": [["x"]]}, None, r"must hold numbers"),
        ("v.parquet", {"id": ["a"], "vector": [[1]]}, None, r"no column 'embedding'"),
        ("v.parquet", {"id": ["a"], "embedding": [[1]]}, "a\n", r"`ids` goes with a .npy"),
    ],
)
def test_bad_vectors_are_refused(tmp_path, name, content, ids, message):
    with pytest.raises(InputError, match=message):
        vectors_of(tmp_path, name, content, ids)


def test_a_cut_npy_and_a_strange_list_of_ids_are_refused(tmp_path):
    path = written(tmp_path, "v.npy", np.eye(40))
    (tmp_path / "v.npy").write_bytes((tmp_path / "v.npy").read_bytes()[:500])
    with pytest.raises(InputError, match=r"not a readable .npy of numbers"):
        own_embeddings.read(path, written(tmp_path, "ids.txt", "a\n"))
    whole = written(tmp_path, "w.npy", np.eye(1))
    for content in ({"a": 1}, [None], [1.5]):
        ids = written(tmp_path, "ids.json", json.dumps(content))
        with pytest.raises(InputError, match=r"ids.json: (expected a JSON list|entry 1: the id)"):
            own_embeddings.read(whole, ids)
