"""A user's own file in the shapes that people have."""

from __future__ import annotations

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.problems import dataset_folders, own_file
from limr.problems.datasets import problems_file, verl_parquet
from limr.problems.normalised_text import made_id

TEXTS = [f'What is "{n}" + 1,\nand why?' for n in range(6)]
GOLDS = [str(n + 1) for n in range(6)]


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def chat(text):
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def verl(path, indices, sources="aaabbb"):
    rows = [
        {
            "data_source": source,
            "prompt": chat(text),
            "reward_model": {"style": "rule", "ground_truth": gold},
            "extra_info": {"index": index, "split": "train"},
        }
        for source, text, gold, index in zip(sources, TEXTS, GOLDS, indices, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def shapes(folder):
    """One file a shape: its path, and the columns that must be taken."""
    plain = [{"prompt": t, "answer": g} for t, g in zip(TEXTS, GOLDS, strict=True)]
    both = list(zip(TEXTS, GOLDS, strict=True))
    yield lines(folder / "plain.jsonl", plain), {"prompt": "prompt", "answer": "answer"}
    for name, gold in (("question", "answer"), ("problem", "solution"), ("query", "label"),
                       ("input", "final_answer"), ("problem", "ground_truth")):  # fmt: skip
        path = lines(folder / f"{name}-{gold}.jsonl", [{name: t, gold: g} for t, g in both])
        yield path, {"prompt": name, "answer": gold}
        pq.write_table(pa.Table.from_pylist([{name: t, gold: g} for t, g in both]),
                       path.with_suffix(".parquet"))  # fmt: skip
        yield path.with_suffix(".parquet"), {"prompt": name, "answer": gold}
    yield (
        lines(folder / "chat.jsonl", [{"prompt": chat(t), "answer": g} for t, g in both]),
        {"prompt": "prompt"},
    )
    parts = [[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": t}]},
              {"role": "assistant", "content": "?"}] for t in TEXTS]  # fmt: skip
    rows = [{"messages": m, "solution": f"So \\boxed{{{g}}}."} for m, g in zip(parts, GOLDS)]  # noqa: B905
    yield lines(folder / "parts.jsonl", rows), {"prompt": "messages", "answer": "solution"}
    gsm = [{"question": t, "answer": f"Add.\n#### {g}"} for t, g in both]
    yield lines(folder / "gsm8k.jsonl", gsm), {"prompt": "question", "answer": "answer"}
    path = folder / "list.json"
    path.write_text(json.dumps(plain, indent=1))
    yield path, {"prompt": "prompt"}
    path = folder / "packed.jsonl.gz"
    path.write_bytes(gzip.compress((folder / "plain.jsonl").read_bytes()))
    yield path, {"prompt": "prompt"}
    for name, sign in (("a.csv", ","), ("semicolons.csv", ";"), ("a.tsv", "\t")):
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file, delimiter=sign)
            writer.writerows([("prompt", "answer"), *both])
        yield folder / name, {"prompt": "prompt", "answer": "answer"}
    table = pa.Table.from_pylist(plain)
    dataset_folders.write(folder / "saved", table.schema, table.to_batches(), None)
    yield folder / "saved", {"prompt": "prompt", "answer": "answer"}


def test_every_shape_gives_the_same_problems(tmp_path):
    n = 0
    for path, columns in shapes(tmp_path):
        found = own_file.open_file(path)
        assert [(p.prompt, p.answer) for p in found.problems] == list(zip(TEXTS, GOLDS)), path  # noqa: B905
        assert [p.problem_id for p in found.problems] == [made_id(text) for text in TEXTS], path
        assert columns.items() <= found.columns.items(), path
        assert found.rows == list(range(6))
        assert "made from the text" in found.in_words()
        n += 1
    assert n > 15


def test_verls_parquet(tmp_path):
    found = own_file.open_file(verl(tmp_path / "train.parquet", range(6)))
    assert found.problems[1] == Problem("1", TEXTS[1], "2", "a", None)
    assert found.columns == {
        "prompt": "prompt",
        "answer": "reward_model.ground_truth",
        "id": "extra_info.index",
        "source": "data_source",
    }
    assert found.kind == "parquet"
    assert not found.notes


def test_an_index_that_restarts_in_every_source_gets_the_source(tmp_path):
    found = own_file.open_file(verl(tmp_path / "t.parquet", [0, 1, 2, 0, 1, 2]))
    assert [p.problem_id for p in found.problems] == ["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"]
    assert found.columns["id"] == "data_source-extra_info.index"
    assert "restarts" in found.notes[0]


def test_studies_read_such_files_too(tmp_path):
    path = verl(tmp_path / "t.parquet", [0, 1, 2, 0, 1, 2])
    options = {"suffix": "", "empty_answers": "refuse"}
    for source in (verl_parquet, problems_file):
        problems, notes = source.prepare(options, path)
        assert problems == own_file.open_file(path).problems
        assert any("restarts in every data_source" in note for note in notes)
    problems, notes = verl_parquet.prepare(options, verl(path, range(6)))
    assert [p.problem_id for p in problems] == list("012345")
    assert notes == ["6 problems of 6 rows"]
    with pytest.raises(InputError, match="occur twice"):
        verl_parquet.prepare(options, verl(path, [0] * 6))


def test_places_of_empty_answers_count_doubled_rows(tmp_path):
    rows = [{"prompt": "p", "answer": "1"}] * 2 + [{"prompt": "q", "answer": None}]
    path = lines(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputError, match=r"entry 3: problem 'prompt-.*has the answer ''"):
        problems_file.prepare({"empty_answers": "refuse"}, path)
    problems, notes = problems_file.prepare({"empty_answers": "drop"}, path)
    assert [p.prompt for p in problems] == ["p"]
    assert notes[0] == "1 problems of 3 entries"
    assert notes[1].startswith("1 rows repeat")


@pytest.mark.parametrize("indices", [[0, 1, 1, 0, 1, 2], [None, 1, 2, 3, 4, 5], [None] * 6])
def test_an_index_that_is_none_gives_ids_from_the_texts(tmp_path, indices):
    found = own_file.open_file(verl(tmp_path / "t.parquet", indices))
    assert [p.problem_id for p in found.problems] == [made_id(text) for text in TEXTS]
    assert found.columns["id"] == "made from the text"


def test_doubled_rows_are_one_problem_and_said(tmp_path):
    once = [{"prompt": t, "answer": g} for t, g in zip(TEXTS, GOLDS, strict=True)]
    found = own_file.open_file(lines(tmp_path / "a.jsonl", once + once[:2] + [once[0]]))
    assert len(found.problems) == 6
    assert found.rows == [0, 1, 2, 3, 4, 5, 0, 1, 0]
    assert found.notes[0].startswith("3 rows repeat")
    assert "a.jsonl:7 is the first; a problem stands up to 3 times" in found.notes[0]
    assert found.rows_of([made_id(TEXTS[0]), made_id(TEXTS[5])]) == [0, 5, 6, 8]
    with pytest.raises(KeyError):
        found.rows_of(["none"])


def test_one_text_with_two_answers_is_two_problems_whatever_the_order(tmp_path):
    rows = [{"prompt": "p", "answer": a} for a in "121"] + [{"prompt": "q", "answer": "1"}]
    found = own_file.open_file(lines(tmp_path / "a.jsonl", rows))
    assert [p.answer for p in found.problems] == ["1", "2", "1"]
    assert len({p.problem_id for p in found.problems}) == 3
    assert found.rows == [0, 1, 0, 2]
    other = own_file.open_file(lines(tmp_path / "b.jsonl", rows[::-1]))
    assert {p.problem_id for p in other.problems} == {p.problem_id for p in found.problems}


def test_levels_of_all_kinds(tmp_path):
    values = ["Level 5", "3", 4, 2.0, None, "Level ?", True, 1.5]
    rows = [{"id": n, "prompt": "p", "level": value} for n, value in enumerate(values)]
    found = own_file.open_file(lines(tmp_path / "a.jsonl", rows))
    assert [p.level for p in found.problems] == [5, 3, 4, 2, None, None, None, None]
    assert found.notes == [
        f"level is no whole number in 3 rows, {tmp_path}/a.jsonl:6 is the first: "
        "they have no level."
    ]


def test_golds_of_all_kinds(tmp_path):
    values = [["1/2"], 7, 0.5, None, ["a", "b"], {"target": ["x"]}, "None"]
    rows = [{"id": n, "prompt": "p", "answer": value} for n, value in enumerate(values)]
    found = own_file.open_file(lines(tmp_path / "a.jsonl", rows))
    golds = ["1/2", "7", "0.5", "", '["a", "b"]', '{"target": ["x"]}', "None"]
    assert [p.answer for p in found.problems] == golds
    assert not own_file.open_file(lines(tmp_path / "b.jsonl", [{"prompt": "p"}])).problems[0].answer


def test_columns_can_be_named(tmp_path):
    rows = [
        {"prompt": "Template: " + t, "extra": {"deep": {"q": t}}, "mine": g, "id": 1}
        for t, g in zip(TEXTS, GOLDS, strict=True)
    ]
    path = lines(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputError, match="ids occur twice with different problems, the first is"):
        own_file.open_file(path)
    found = own_file.open_file(path, {"prompt": "extra.deep.q", "answer": "mine", "id": ""})
    assert [(p.prompt, p.answer) for p in found.problems] == list(zip(TEXTS, GOLDS, strict=True))
    for named, message in (
        ({"prompt": "extra.deep.z"}, "no column 'extra.deep.z'.*Found: prompt, extra, extra.deep"),
        ({"anwser": "mine"}, "'anwser' is nothing to name. Did you mean 'answer'"),
    ):
        with pytest.raises(InputError, match=message):
            own_file.open_file(path, named)


def test_names_with_dots_are_columns_as_well(tmp_path):
    rows = [{"prompt": "p", "reward_model.ground_truth": "1", "extra_info.index": 7}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert own_file.open_file(tmp_path / "a.parquet").problems == [Problem("7", "p", "1", "a")]


def test_missing_golds_are_said(tmp_path):
    found = own_file.open_file(lines(tmp_path / "a.jsonl", [{"prompt": "p"}]))
    assert "no gold answers" in found.in_words()


def test_columns_of_one_name_are_refused(tmp_path):
    table = pa.table([pa.array(["a"]), pa.array(["b"])], ["prompt", "prompt"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="two columns have one name"):
        own_file.open_file(tmp_path / "a.parquet")


def test_other_columns_of_the_prompt_are_named(tmp_path):
    rows = [{"prompt": "p", "question": "q", "answer": "1", "solution": "x"}]
    notes = own_file.open_file(lines(tmp_path / "a.jsonl", rows)).notes
    assert notes == [
        "the prompt is 'prompt'; the file also has question, not used.",
        "the answer is 'answer'; the file also has solution, not used.",
    ]


def test_messages_as_text_in_a_csv(tmp_path):
    for cell, fits in ((json.dumps(chat("p")), True), (str(chat("p")), False)):
        with (tmp_path / "a.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("prompt", "answer"), (cell, "1")])
        if fits:
            assert own_file.open_file(tmp_path / "a.csv").problems[0].prompt == "p"
        else:
            with pytest.raises(InputError, match=r"a\.csv:2: .*Python's print of chat messages"):
                own_file.open_file(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", "", "no problems in it"),
        ("a.json", "[]", "no problems in it"),
        ("a.csv", "prompt,answer\n", "no problems in it"),
        ("a.csv", "", "no problems in it"),
        (
            "a.jsonl",
            '{"text": "a", "n": 1}\n',
            "Looked for prompt, problem.*found text, n. Name it",
        ),
        ("a.jsonl", '{"prompt": "a"}\n\n{"prompt": \n', r"a\.jsonl:3: not valid JSON"),
        ("a.jsonl", '{"prompt": "a"}\n[1]\n', r"a\.jsonl:2: expected an object, found list"),
        ("a.jsonl", '{"prompt": "a"}\n{"question": "b"}\n', r"2 needs a 'prompt'.*has question"),
        ("a.jsonl", '{"prompt": "a"}\n{"prompt": " "}\n', r"a\.jsonl:2 needs a 'prompt'"),
        ("a.jsonl", '{"prompt": "\\ud800"}\n', "half of a character pair"),
        ("a.jsonl", '{"prompt": [{"role": "system", "content": "a"}]}\n', "role 'user'"),
        ("a.json", '[{"prompt": "a", "n": ' + "1" * 5000 + "}]", "not valid JSON"),
        ("a.json", "[" * 100_000, "not valid JSON"),
        ("a.jsonl", '{"prompt": "a", "x": ' + "[" * 100_000, "not valid JSON"),
        ("a.json", '[{"prompt": "a"},\n{"prompt": "b"', r"a\.json:2: not valid JSON"),
        ("a.json", '[{"prompt": "a"}\n', r"a\.json:2: not valid JSON .the list is not closed"),
        ("a.json", '{\n"prompt": "a"}', "expected a list of problems"),
        ("a.csv", 'prompt,answer\na,1\n"b\nc,2\n', r"a\.csv:3: not valid csv"),
        ("a.csv", 'prompt,answer\n"a\nb",1\nc\n', r"a\.csv:4: expected 2 cells"),
        ("a.csv", "prompt,prompt\na,1\n", "'prompt' is there twice"),
        ("a.parquet", "no", "not a readable parquet"),
        ("a.txt", "What is 1 + 1?\n", "expected JSON lines, a JSON list, csv"),
    ],
)
def test_what_is_no_file_of_problems_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        own_file.open_file(tmp_path / name)


def test_folders_that_are_none_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        own_file.open_file(tmp_path / "none")
    with pytest.raises(InputError, match=r"it has no state\.json"):
        own_file.open_file(tmp_path)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(InputError, match=r"holds the splits train, test\. Name one: '.*train'"):
        own_file.open_file(tmp_path)
    (tmp_path / "dataset_dict.json").unlink()
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "../a.arrow"}]}')
    with pytest.raises(InputError, match="expected names of files"):
        own_file.open_file(tmp_path)
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "a.arrow"}]}')
    (tmp_path / "a.arrow").write_bytes(b"no arrow")
    with pytest.raises(InputError, match=r"a\.arrow: not a readable Arrow stream"):
        own_file.open_file(tmp_path)
