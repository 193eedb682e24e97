"""vLLM's engine as far as it goes without vLLM: folders, GPUs, kept responses, its process."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

import byte_tokenizer
from limr.core import files, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.evaluate import evaluation
from limr.models.interface import Decoding, LongPromptError
from limr.models.pretrained import folders
from limr.models.vllm import folder, policy, process, shards
from limr.train.engines import vllm

SAMPLED = Decoding("sampled", 3, 1.0, 0.95, 12)
GREEDY = Decoding("greedy", 2, 0.0, 1.0, 12)


def options(**changes: Any) -> dict[str, Any]:
    return validation.complete({"template": "qwen-boxed", **changes}, vllm.Options, "engines.vllm")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder without real weights: nothing here loads them."""
    from transformers import Qwen2Config

    made = tmp_path / "model"
    words = byte_tokenizer.make("<|im_start|>", "<|im_end|>", "<|endoftext|>", end="<|endoftext|>")
    words.save_pretrained(made)
    Qwen2Config(
        num_attention_heads=6, max_position_embeddings=200, eos_token_id=3, hidden_size=60
    ).save_pretrained(made)
    (made / "model.safetensors").write_bytes(b"weights")
    return made


# --- folders and GPUs


def test_a_folder_is_read_without_its_weights(model):
    found = folder.read(model, options(stop=["\nuser\n"]))
    ends = found.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert found.reader.ids == {3, *ends}
    assert found.reader.stops == ("\nuser\n",)
    assert (found.positions, found.heads) == (200, 6)
    assert folder.read(model, options(max_model_len=150)).positions == 150
    assert folder.read(model, options(max_model_len=900)).positions == 200
    prompt = found.tokenizer.decode(found.encode(["1+1"])[0])
    assert prompt.endswith("<|im_start|>user\n1+1<|im_end|>\n<|im_start|>assistant\n")


def test_wrong_folders_are_refused(model, tmp_path):
    with pytest.raises(InputError, match="no such model folder"):
        folder.read(tmp_path / "none", options())
    with pytest.raises(InputError, match=r"engines\.vllm\.template"):
        folder.read(model, options(template=None))
    with pytest.raises(InputError, match="needs a chat template"):
        folder.read(model, options(template="chat-boxed"))
    (model / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights as safetensors"):
        folder.read(model, options())
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "config.json").write_text("{broken")
    with pytest.raises(InputError, match="not a readable model folder"):
        folder.read(model, options())


def test_the_folder_names_its_template(model):
    files.write_json(model / folders.RECORD, {"template": "few-shot"})
    found = folder.read(model, options(template=None))
    assert found.template == "few-shot"
    assert found.reader.stops == ("\nProblem:",)


def test_gpus_must_be_as_asked(model, capsys):
    found = folder.read(model, options())
    folder.check_devices(found, 1, None)
    folder.check_devices(found, 2, 2)
    assert capsys.readouterr().err == ""
    folder.check_devices(found, 3, 8)
    assert "8 GPUs are visible and 3 are used" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"= 4 does not divide the 6 .* Possible: 1, 2, 3, 6\."):
        folder.check_devices(found, 4, 4)
    with pytest.raises(InputError, match=r"= 2, but 1 GPUs are visible"):
        folder.check_devices(found, 2, 1)
    with pytest.raises(InputError, match="build for CPUs"):
        folder.check_devices(found, 2, None)


def test_without_vllm_it_says_what_to_do(model):
    with pytest.raises(InputError, match=r"'vllm' is not installed.*envs/evaluate\.lock"):
        vllm.open_policy(model, options())


# --- what is kept


def test_shards_keep_what_was_finished(tmp_path):
    kept = shards.Shards(tmp_path / "a", 10)
    kept.keep({3: [1, 2], 0: [7]})
    kept.keep({5: [9]})
    kept.keep({})
    again = shards.Shards(tmp_path / "a", 10)
    assert again.found == {3: [1, 2], 0: [7], 5: [9]}
    again.keep({6: [1]})
    assert sorted(path.name for path in (tmp_path / "a").glob("*.parquet")) == [
        "000000.parquet",
        "000001.parquet",
        "000002.parquet",
    ]


def test_broken_shards_are_made_again(tmp_path):
    kept = shards.Shards(tmp_path, 10)
    kept.keep({1: [1]})
    kept.keep({2: [2]})
    (tmp_path / "000000.parquet").write_bytes(b"PAR1 cut short")
    (tmp_path / ".000002.parquet.1.tmp").write_bytes(b"half")
    files.write_parquet(tmp_path / "000005.parquet", shards.pa.table({"other": [1]}))
    found = shards.Shards(tmp_path, 10)
    assert found.found == {2: [2]}
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["000001.parquet"]
    assert shards.Shards(tmp_path, 2).found == {}  # a row that the request does not have


def other_responses(shard):
    """A shard that can be read, of the same request, with other responses in it."""
    table = shards.pa.table({"row": [1], "ids": [[8]]}, schema=shards.SHARD)
    files.write_parquet(shard, table)


DAMAGE = {
    "other responses": (other_responses, "other bytes than were written"),
    "empty": (lambda shard: shard.write_bytes(b""), "other bytes than were written"),
    "no record": (lambda shard: shard.with_suffix(".json").unlink(), "no record of its sha256"),
    "an unreadable record": (lambda s: s.with_suffix(".json").write_text("{"), "not valid JSON"),
    "another record": (lambda s: s.with_suffix(".json").write_text("[]"), "no record"),
    "another shard": (
        lambda s: s.write_bytes(s.with_name("000001.parquet").read_bytes()),
        "other bytes than were written",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_shard_that_is_not_as_it_was_written_is_made_again(tmp_path, capsys, damage):
    kept = shards.Shards(tmp_path, 10)
    kept.keep({1: [1]})
    kept.keep({2: [2]})
    change, said = DAMAGE[damage]
    change(tmp_path / "000000.parquet")
    again = shards.Shards(tmp_path, 10)
    assert again.found == {2: [2]}
    told = capsys.readouterr().err
    assert "000000" in told
    assert said in told
    again.keep({1: [1]})
    assert shards.Shards(tmp_path, 10).found == {1: [1], 2: [2]}


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = shards.Shards(None, 3)
    kept.keep({0: [1]})
    assert kept.found == {0: [1]}
    assert not list(tmp_path.iterdir())


# --- the policy, with a stand-in for vLLM's process


class StandIn:
    """Stands where vLLM's process does: a response is made of its seed, and it may be killed."""

    made: list[int]

    def __init__(self, dies_after: int | None = None) -> None:
        self.made, self.dies_after = [], dies_after

    def generate(self, prompts, sampling):
        for row, ids, seed in reversed(prompts):  # in another order than asked
            if self.dies_after is not None and len(self.made) >= self.dies_after:
                raise InputError("vLLM stopped")
            self.made.append(row)
            drawn = [40 + (seed or len(ids)) % 7, 41]
            yield row, drawn + ([3] if row % 2 else [42] * (sampling["max_tokens"] - 2))

    def close(self) -> None: ...


def opened(model: Path, state: Path | None, monkeypatch, worker: StandIn, **changes: Any) -> Any:
    monkeypatch.setattr(policy, "visible_devices", lambda: None)
    monkeypatch.setattr(policy, "vllm_version", lambda: "0")
    monkeypatch.setattr(policy, "Worker", lambda *_: worker)
    return policy.VllmPolicy(model, options(**changes), state)


def test_responses_are_in_order_whatever_order_they_end_in(model, monkeypatch, tmp_path):
    found = opened(model, tmp_path / "s", monkeypatch, StandIn())
    responses = found.generate(["a", "bb"], SAMPLED, 5)
    assert [len(samples) for samples in responses] == [3, 3]
    flat = [response for samples in responses for response in samples]
    assert [r.tokens for r in flat] == [12, 3, 12, 3, 12, 3]
    assert [r.truncated for r in flat] == [True, False] * 3
    assert len({r.text for r in flat}) > 2


def test_greedy_samples_are_copies(model, monkeypatch):
    worker = StandIn()
    responses = opened(model, None, monkeypatch, worker).generate(["a", "bb"], GREEDY, 5)
    assert sorted(worker.made) == [0, 1]
    assert [samples[0] == samples[1] for samples in responses] == [True, True]


def test_a_killed_request_goes_on(model, monkeypatch, tmp_path):
    state, prompts = tmp_path / "state", ["a", "bb", "ccc"]
    first = StandIn(dies_after=5)
    with pytest.raises(InputError, match="stopped"):
        opened(model, state, monkeypatch, first, shard=2).generate(prompts, SAMPLED, 5)
    second = StandIn()
    found = opened(model, state, monkeypatch, second, shard=4).generate(prompts, SAMPLED, 5)
    assert sorted(first.made[:4] + second.made) == list(range(9))  # the fifth was not saved
    assert found == opened(model, None, monkeypatch, StandIn()).generate(prompts, SAMPLED, 5)
    third = StandIn()
    assert opened(model, state, monkeypatch, third).generate(prompts, SAMPLED, 5) == found
    assert third.made == []


@pytest.mark.parametrize("change", ["seed", "prompt", "decoding", "weights", "dtype", "stop"])
def test_another_request_uses_nothing_that_is_kept(model, monkeypatch, tmp_path, change):
    state = tmp_path / "state"
    opened(model, state, monkeypatch, StandIn()).generate(["a"], SAMPLED, 5)
    prompts, decoding, seed, changes = ["a"], SAMPLED, 5, {}
    if change == "seed":
        seed = 6
    elif change == "prompt":
        prompts = ["b"]
    elif change == "decoding":
        decoding = Decoding("sampled", 3, 1.0, 0.9, 12)
    elif change == "weights":
        (model / "model.safetensors").write_bytes(b"weightz")
    else:
        changes = {"dtype": "float16"} if change == "dtype" else {"stop": ["."]}
    worker = StandIn()
    opened(model, state, monkeypatch, worker, **changes).generate(prompts, decoding, seed)
    assert len(worker.made) == 3


def test_prompts_without_room_are_named(model, monkeypatch):
    found = opened(model, None, monkeypatch, StandIn())
    problems = [Problem(f"p-{n}", "x" * n, "1", "s") for n in (1, 60, 2, 90)]
    decodings = [{"name": "long", "samples": 1, "temperature": 0, "top_p": 1, "max_tokens": 60}]
    with pytest.raises(LongPromptError) as raised:
        found.check([p.prompt for p in problems], Decoding(**decodings[0]))
    assert raised.value.rows == [1, 3]
    marks = {"few": {"decodings": decodings}}
    with pytest.raises(InputError, match=r"benchmark 'few': .*Their ids: p-60, p-90\."):
        evaluation.check(found, {"few": problems}, marks)


def test_a_longer_request_restarts_vllm_with_more_room(model, monkeypatch):
    files.write_json(
        model / "config.json",
        {**files.read_json(model / "config.json"), "max_position_embeddings": 5000},
    )
    lengths: list[int] = []

    def start(arguments: dict[str, Any], log: Path | None) -> StandIn:
        lengths.append(arguments["max_model_len"])
        return StandIn()

    found = opened(model, None, monkeypatch, StandIn())
    monkeypatch.setattr(policy, "Worker", start)
    for tokens in (12, 900, 1500, 12, 4800):
        found.generate(["a"], Decoding("d", 1, 1.0, 1.0, tokens), 1)
    assert lengths == [1024, 2048, 5000]


# --- its process


@pytest.fixture
def worker_script(tmp_path: Path, monkeypatch):
    """Put another module in the place of the worker: `body` runs with `results` and `lines`."""

    def make(body: str) -> None:
        package = tmp_path / "stand_in"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / "worker.py").write_text(
            "import json, os, sys\n"
            "results = os.fdopen(int(sys.argv[2]), 'w', buffering=1)\n"
            "lines = sys.stdin\n" + textwrap.dedent(body)
        )
        monkeypatch.setattr(process, "__package__", "stand_in")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return make


READY = "print(json.dumps({'ready': True}), file=results)\n"


def test_responses_come_through_the_pipe(worker_script, tmp_path):
    worker_script(
        READY
        + """
        for line in lines:
            request = json.loads(line)
            for row, ids, seed in request["prompts"]:
                print(json.dumps({"row": row, "ids": [*ids, seed]}), file=results)
            print(json.dumps({"done": True}), file=results)
        """.replace("\n        ", "\n")
    )
    worker = process.Worker({"model": "m"}, tmp_path / "log.txt")
    big = [(row, [7] * 1000, row) for row in range(300)]  # more than a pipe holds
    for _ in range(2):
        found = dict(worker.generate(big, {}))
        assert found == {row: [7] * 1000 + [row] for row in range(300)}
    worker.close()
    assert worker._process.returncode == 0


def test_a_start_that_fails_shows_the_cause(worker_script, tmp_path):
    worker_script(
        """
        print("ValueError: the cause")
        print("\\n".join(f"noise {n}" for n in range(100)))
        sys.exit(4)
        """
    )
    with pytest.raises(InputError) as raised:
        process.Worker({"model": "m"}, tmp_path / "log.txt")
    message = str(raised.value)
    assert "m: vLLM did not start (exit code 4)" in message
    assert "ValueError: the cause" in message
    assert "noise 99" in message
    assert "noise 3\n" not in message


def test_a_process_that_dies_is_no_endless_wait(worker_script, tmp_path):
    worker_script(READY + "lines.readline()\nsys.exit(9)\n")
    worker = process.Worker({"model": "m"}, None)
    with pytest.raises(InputError, match=r"vLLM stopped \(exit code 9\)"):
        list(worker.generate([(0, [1], None)], {}))
    worker.close()


@pytest.mark.slow
def test_a_process_that_hangs_is_ended(worker_script, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 1.0)
    monkeypatch.setattr(process, "GRACE", -9.0)
    worker_script("import time\ntime.sleep(600)\n")
    with pytest.raises(InputError, match="did not start within 1 s"):
        process.Worker({"model": "m"}, None)
