"""The grader as a reward function of TRL, verl and OpenRLHF, as docs/reward-functions.md says."""

import importlib.util
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

import documents
from limr import __version__
from limr.core.errors import InputError
from limr.grading.grade import GRADER_VERSION, Grader
from limr.grading.trainers import OpenRlhfReward, TrlReward, VerlReward

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/reward-functions.md"
TRL, VERL = ROOT / "build/trl-tools", ROOT / "build/verl-tools"
OPENRLHF = ROOT / ".venv-openrlhf/bin/python"
ON_CPU = {"DS_ACCELERATOR": "cpu", "DS_BUILD_OPS": "0", "HF_HUB_OFFLINE": "1"}
LIBRARY = ROOT / "workflow/scripts"
HOSTILE = HERE / "hostile_worker.py"
VERL_CASES = [(text, "\\frac12") for text in ("so \\boxed{0.5}", "\\boxed{0.6}", "0.5")]
PROMPT = "What is $2\\sqrt{2}$? "
OPENRLHF_CASES = [
    (PROMPT, "\\boxed{\\sqrt{8}}<|im_end|>", "2\\sqrt{2}"),
    (PROMPT, "\\boxed{3}", "2\\sqrt{2}"),
    (PROMPT, "3", "2\\sqrt{2}"),
    (PROMPT, "\\boxed{}", ""),  # OpenRLHF logs the error, and has no reward
]
BAD_GOLDS = ["", " ", None, "None", float("nan"), True, ["5"], {"answer": "5"}, "\\frac{1}{2"]
BAD_GOLDS += ["Natalia sold 24 clips.\nShe sold 72 in all.", "7" * 5_000]


def documented(name, folder):
    """Write a file of the page as its reader would; return its path."""
    [block] = [block for block in documents.blocks(PAGE) if block.file == name]
    path = folder / name
    path.write_text(block.text)
    return path


def loaded(path):
    """Load a file as verl and OpenRLHF do."""
    spec = importlib.util.spec_from_file_location("custom_module", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(words, **more):
    done = subprocess.run(
        words, env={**os.environ, **ON_CPU, **more.pop("env", {})}, capture_output=True, text=True,
        check=False, **more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_trl_texts_and_messages(tmp_path):
    reward = loaded(documented("reward_trl.py", tmp_path)).reward
    texts = ["so \\boxed{5}", "so \\boxed{6}", "none"]
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    parts = [[{"role": "assistant", "content": [{"type": "text", "text": t}]}] for t in texts]
    logged = {}
    columns = {"answer": [5, "5", "5"], "trainer_state": None, "log_extra": logged.__setitem__}
    for completions in (texts, chats, parts):
        prompts = ["?"] * 3 if completions is texts else [[{"role": "user", "content": "?"}]] * 3
        assert reward(prompts=prompts, completions=completions, **columns) == [1.0, 0.0, 0.0]
    assert logged["limr_reason"] == ["", "different", "no-box"]
    assert logged["limr_grader_version"] == [GRADER_VERSION] * 3
    with pytest.raises(InputError, match=r"no column 'answer'.*its columns: solution"):
        reward(prompts=["?"], completions=["x"], solution=["5"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", pytest.param("chat", marks=pytest.mark.long)])
def test_the_real_trl_trains_by_it(kind, tmp_path):
    if not (TRL / "trl").is_dir():
        if os.environ.get("CI"):
            pytest.fail("there is no build/trl-tools: make build/trl-tools")
        pytest.skip("there is no build/trl-tools: make build/trl-tools")
    documented("reward_trl.py", tmp_path)
    path = os.pathsep.join([str(LIBRARY), str(TRL)])
    words = [sys.executable, str(HERE / "trl_reward.py"), str(tmp_path), kind]
    asked(words, env={"PYTHONPATH": path})
    [file] = (tmp_path / "output/completions").glob("*.parquet")
    rows = pd.read_parquet(file)
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in rows["completion"]]
    grader = Grader({"answer": "whole"})
    grades = [grader.grade("2", text, truncated=False) for text in texts]
    rewards = {"correct": 1.0, "incorrect": 0.0, "malformed": -1.0}
    assert list(rows["whole"]) == [rewards[grade.verdict] for grade in grades]
    assert {"correct", "incorrect"} <= {grade.verdict for grade in grades}
    assert list(rows["whole_reason"]) == [grade.reason for grade in grades]
    assert set(rows["limr"]) == {0.0}
    assert set(rows["limr_reason"]) == {"no-box"}


def test_verl_asks_by_name_and_one_by_one(tmp_path):
    # As verl's managers and their loader do.
    raw = loaded(documented("reward_verl.py", tmp_path)).compute_score
    score = partial(lambda function, given, **call: function(**{**call, **given}), raw, {})
    found = [
        score(
            data_source="math", solution_str=text, ground_truth="\\frac12", extra_info={"index": 3}
        )
        for text in ("\\boxed{0.5}", "\\boxed{0.6}", "0.5")
    ]
    assert [one["score"] for one in found] == [1.0, 0.0, 0.0]
    assert [one["acc"] for one in found] == [True, False, False]
    assert [one["reason"] for one in found] == ["", "different", "no-box"]
    assert {one["grader_version"] for one in found} == {GRADER_VERSION}
    assert len({tuple(one) for one in found}) == 1  # verl joins them key by key
    assert raw("math", "\\boxed{0.5}", "\\frac12")["score"] == 1.0


@pytest.fixture(scope="module")
def trainers(tmp_path_factory):
    """What the real verl and the real OpenRLHF are given, by the files and words of the page."""
    if not (VERL / "verl").is_dir() or not (OPENRLHF.parent.parent / "ready").exists():
        if os.environ.get("CI"):
            pytest.fail("something is missing: make build/verl-tools openrlhf")
        pytest.skip("something is missing: make build/verl-tools openrlhf")
    folder = tmp_path_factory.mktemp("trainers")
    documented("reward_verl.py", folder)
    [said] = [line for line in PAGE.read_text().splitlines() if "reward_verl.py custom" in line]
    words = re.findall(r"custom_reward_function\.\w+=\w+(?:\.py)?", said)
    assert len(words) == 2
    asks = {
        "openrlhf": [str(documented("reward_openrlhf.py", folder)), OPENRLHF_CASES],
        "verl": [words, VERL_CASES],
    }
    path = os.pathsep.join([str(LIBRARY), str(VERL)])
    told = asked([str(OPENRLHF), str(HERE / "trainer_rewards.py")],
                 env={"PYTHONPATH": path}, cwd=folder, input=json.dumps(asks))  # fmt: skip
    return json.loads(told.splitlines()[-1])


@pytest.mark.slow
def test_the_real_verl_asks_for_it(trainers):
    """Its configuration, its loader and its reward manager."""
    found = trainers["verl"]
    assert [one["reward_score"] for one in found] == [1.0, 0.0, 0.0]
    logged = [one["reward_extra_info"] for one in found]
    assert [one["reason"] for one in logged] == ["", "different", "no-box"]
    assert [one["acc"] for one in logged] == [True, False, False]
    assert {one["grader_version"] for one in logged} == {GRADER_VERSION}


@pytest.mark.slow
def test_openrlhf_queries_are_split_at_their_prompts():
    reward = OpenRlhfReward({"answer": "whole"})
    prompt = "What is \\boxed{5}? " * 20
    for query in (prompt + "5<|im_end|>\n<|endoftext|>", prompt[100:] + "5</s><pad><pad>"):
        found = reward([query], [prompt], ["5"])
        assert (found["rewards"].tolist(), found["scores"].tolist()) == ([1.0], [1.0])
        assert found["extra_logs"]["correct"].tolist() == [1.0]
    with pytest.raises(InputError, match="query 0 does not have the end of its prompt"):
        reward(["5"], ["another prompt"], ["5"])


@pytest.mark.slow
def test_the_real_openrlhf_asks_for_it(trainers):
    found = trainers["openrlhf"]
    assert [reward for reward, _, _ in found] == [[1.0], [0.0], [0.0], None]
    assert [scores for _, scores, _ in found] == [[1.0], [0.0], [0.0], None]
    assert [logs.get("malformed") for _, _, logs in found] == [[0.0], [0.0], [1.0], None]


@pytest.mark.slow
@pytest.mark.parametrize("gold", BAD_GOLDS, ids=lambda gold: repr(gold)[:20])
def test_a_gold_answer_that_nothing_can_match_stops_the_first_batch(gold):
    reward = TrlReward()
    with pytest.raises(InputError, match="the gold answer of response 1") as said:
        reward(prompts=["?"] * 2, completions=["\\boxed{5}"] * 2, answer=["5", gold])
    assert repr(gold)[:20] in str(said.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (72, "72"),
        (0.5, "\\frac{1}{2}"),
        ("He has 8*9=<<8*9=72>>72.\n#### 72", "72"),
        ("#### 1,200", "1200"),
        ("First,\nso it is $\\boxed{\\frac{1}{2}}$.", "0.5"),
        ("\\begin{pmatrix} 1 \\\\\n 2 \\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"),
    ],
)
def test_gold_answers_are_read_as_data_sets_write_them(gold, answer):
    verl = VerlReward()
    assert verl("x", f"\\boxed{{{answer}}}", gold)["score"] == 1.0
    assert verl("x", "\\boxed{73}", gold)["score"] == 0.0


@pytest.mark.slow
def test_options_are_checked_at_once():
    with pytest.raises(InputError, match="'anwser' is not a key"):
        TrlReward(settings={"anwser": "box"})
    paid = VerlReward(incorrect=-0.5, malformed=-1.0, settings={"answer": "last-line"})
    assert [paid("x", text, "C")["score"] for text in ("Answer: **C**", "D", "")] == [1, -0.5, -1]


@pytest.mark.slow
def test_a_slow_answer_is_wrong_and_others_are_not():
    reward = VerlReward(seconds=3)
    reward._pool.command = (sys.executable, "-P", str(HOSTILE))
    assert reward("x", "\\boxed{sleep}", "5")["reason"] == "timed-out"  # it would take an hour
    assert reward("x", "\\boxed{5}", "5")["score"] == 1.0


@pytest.mark.slow
def test_copies_threads_and_forks_give_the_same_rewards():
    reward = VerlReward(workers=1)
    expected = [1.0, 0.0, 1.0]
    answers = ("(1+x)^2", "(2+x)^2", "x^2+1+2x")

    def scores(one, gold="x^2+2x+1"):
        return [one("x", f"\\boxed{{{answer}}}", gold)["score"] for answer in answers]

    assert scores(reward) == expected
    assert scores(pickle.loads(pickle.dumps(reward))) == expected  # noqa: S301 - our own
    found = {}
    threads = [
        threading.Thread(
            target=lambda n=n: found.update({n: scores(reward, f"x^2+{n}x-{n}x+2x+1")})
        )
        for n in range(3, 6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(map(tuple, found.values())) == {tuple(expected)}
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(scores(reward, "1+2x+x^2")).encode())
        os._exit(0)
    assert json.loads(os.read(reader, 1000)) == expected
    reward.close()


BLOCKED = """
import sys
for name in ("torch", "pandas", "pyarrow", "numpy", "snakemake", "yaml", "transformers", "tqdm"):
    sys.modules[name] = None
from limr.grading.trainers import TrlReward
import limr.grading.pool
print(limr.grading.__file__)
texts = ["\\\\boxed{(1+x)^2}", "x"]
print(TrlReward()(prompts=["?"] * 2, completions=texts, answer=["x^2+2x+1"] * 2))
print(sys.modules["math_verify"] if "math_verify" in sys.modules else None)
"""


@pytest.mark.slow
def test_the_package_is_built_and_works_alone(tmp_path):
    """Without a network, and where PyTorch, pandas and Snakemake cannot be imported."""
    source = tmp_path / "grader"
    # The link is followed, as pip does, without what Python compiled.
    shutil.copytree(ROOT / "grader", source, ignore=shutil.ignore_patterns("__pycache__", "build"))
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    asked([*words, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source)])
    [wheel] = tmp_path.glob("limr_grader-*.whl")
    assert wheel.name.split("-")[1] == __version__
    with zipfile.ZipFile(wheel) as packed:
        rooms = {Path(name).parts[1] for name in packed.namelist() if name.count("/") > 1}
        packed.extractall(tmp_path / "site")
    assert rooms == {"core", "grading"}
    said = asked([sys.executable, "-c", BLOCKED], env={"PYTHONPATH": str(tmp_path / "site")})
    where, rewards, algebra = said.splitlines()
    assert where.startswith(str(tmp_path / "site"))
    assert rewards == "[1.0, 0.0]"
    assert algebra == "None"  # it is in the worker alone
