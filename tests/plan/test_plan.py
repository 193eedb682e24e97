"""`limr plan`: sizes, costs, counts, jobs, and the plan of every shipped study that needs GPUs.

`python tests/plan/test_plan.py` writes the golden plans.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr import __main__ as command_line
from limr.analysis import sureness
from limr.cli import plan
from limr.core import files, plugins
from limr.core.errors import InputError
from limr.plan import bill, cost, counts, estimate, hardware, jobs, models
from limr.plan.engines import Layout
from limr.sources import pinned as sources
from limr.study.jobs import plan as job_plan
from limr.study.load import load as load_study
from limr.study.study import Study

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden"
STUDIES = ("config", "single-node", "single-gpu")
GPU = hardware.GPUS["h100"]
PPO = {
    "steps": 10,
    "prompts_per_step": 100,
    "samples_per_prompt": 4,
    "epochs_per_batch": 1,
    "max_response_tokens": 1000,
}


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    plan.configure(parser)
    return parser.parse_args(words)


def load(name: str) -> Study:
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    return load_study(config, name, ROOT / "config/benchmarks")


def planned(name: str) -> dict[str, Any]:
    """Return the plan of a shipped study, made in this folder."""
    found = plan.build(options(f"config/{name}.yaml"))
    text = json.dumps(found).replace(str(ROOT), "")  # where the checkout is does not matter
    return json.loads(text)


# --- sizes


@pytest.mark.parametrize(
    ("name", "parameters"),
    [  # as the models' pages on the hub count them
        ("Qwen2.5-0.5B", 494_032_768),
        ("Qwen2.5-Math-1.5B", 1_543_714_304),
        ("Qwen2.5-3B", 3_085_938_688),
        ("Qwen2.5-Math-7B", 7_615_616_512),
        ("Qwen2.5-14B", 14_770_033_664),
        ("Qwen2.5-32B", 32_763_876_352),
    ],
)
def test_known_models_have_their_published_size(name, parameters):
    assert models.size({"model": f"Qwen/{name}"}).parameters == parameters
    assert models.size({"model": f"Qwen/{name}-Instruct"}).parameters == parameters


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama"])
def test_sizes_are_those_of_real_models(family, tied, tmp_path):
    import transformers

    names = {"qwen2": "Qwen2", "qwen3": "Qwen3", "llama": "Llama"}
    config = getattr(transformers, f"{names[family]}Config")(
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=12,
        intermediate_size=80,
        vocab_size=101,
        tie_word_embeddings=tied,
    )
    model = getattr(transformers, f"{names[family]}ForCausalLM")(config)
    config.save_pretrained(tmp_path)
    found = models.size({"model": str(tmp_path)})
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.source == str(tmp_path / "config.json")


def test_unknown_sizes_must_be_given(tmp_path):
    with pytest.raises(InputError, match=r"'org/other' is no folder.*--parameters"):
        models.size({"model": "org/other"})
    assert models.size({"model": "org/other"}, 1.5e9) == models.Size(1_500_000_000, "--parameters")
    files.write_json(tmp_path / "config.json", {"model_type": "mixtral"})
    with pytest.raises(InputError, match="'mixtral' model cannot be told"):
        models.size({"model": str(tmp_path)})


# --- costs


def test_a_ppo_run_costs_what_its_tokens_cost():
    """The central case again, by hand: 7e9 parameters, 400 rollouts a step, 8 GPUs of a kind."""
    layout = Layout(1, 8, generating=8, training=8, reference=True)
    found = cost.ppo_seconds(PPO, 500, 7_000_000_000, layout, GPU, 300.0)
    per_second = 8 * 989e12
    generate = 2 * 7e9 * 400 * 300 / (per_second * 0.10)
    score = 3 * 2 * 7e9 * 400 * 500 / (per_second * 0.35)
    train = 2 * 8 * 7e9 * 400 * 500 / (per_second * 0.30)
    assert found.central == pytest.approx(10 * (generate + score + train + 30) + 60)
    assert found.low < found.central < found.high


def test_roles_with_gpus_of_their_own_work_at_the_same_time():
    shared = Layout(2, 16, generating=16, training=16, shared=True, reference=True)
    split = Layout(2, 16, generating=4, training=4, shared=False, reference=True)
    both = [
        cost.ppo_seconds(PPO, 500, 7_000_000_000, layout, GPU, None).central
        for layout in (shared, split)
    ]
    assert both[0] < both[1]  # all GPUs at work all the time
    twice = Layout(2, 16, generating=8, training=8, shared=False, reference=True)
    assert cost.ppo_seconds(PPO, 500, 7_000_000_000, twice, GPU, None).central < both[1]


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"steps": 20}, True),
        ({"samples_per_prompt": 8}, True),
        ({"epochs_per_batch": 2}, True),
        ({"max_response_tokens": 2000}, True),
        ({"prompts_per_step": 50}, False),
    ],
)
def test_more_work_costs_more(change, more):
    layout = Layout(1, 1, generating=1, training=1)
    before = cost.ppo_seconds(PPO, 500, 10**9, layout, GPU, None)
    after = cost.ppo_seconds({**PPO, **change}, 500, 10**9, layout, GPU, None)
    for end in ("low", "central", "high"):
        assert (getattr(after, end) > getattr(before, end)) == more


def test_a_small_subset_is_one_batch():
    layout = Layout(1, 1, generating=1, training=1)
    few = cost.ppo_seconds(PPO, 25, 10**9, layout, GPU, None).central
    assert few < cost.ppo_seconds(PPO, 100, 10**9, layout, GPU, None).central
    assert cost.rollout_bytes(PPO, 25, 100.0).central == 10 * 25 * 4 * 100 * cost.BYTES_PER_TOKEN


def test_small_models_keep_a_gpu_less_busy():
    assert cost.reached(7_600_000_000) == 1.0
    assert 0.3 < cost.reached(500_000_000) < 0.5
    assert cost.reached(10**9) < cost.reached(2 * 10**9)


def test_evaluations_and_fine_tuning():
    layout = Layout(1, 2, generating=2, training=0)
    found = cost.evaluation_seconds({3072: 500, 100: 40}, 3, 7 * 10**9, layout, GPU, 200.0)
    tokens = 500 * 400 + 40 * 300
    assert found.central == pytest.approx(3 * (2 * tokens * 7e9 / (2 * 989e12 * 0.05) + 60))
    sft = {"steps": 100, "batch_size": 16}
    training = Layout(1, 8, generating=0, training=8, recomputing=False)
    seconds = cost.sft_seconds(sft, 8000, 7 * 10**9, training, GPU)
    assert seconds.central == pytest.approx(6 * 7e9 * 1600 * 4000 / (8 * 989e12 * 0.30) + 60)


# --- the bill of choosing


def billed(changes, tmp_path):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for path, value in changes.items():
        *folders, key = path.split("/")
        at = config
        for folder in folders:
            at = at[folder]
        at[key] = value
    found = load_study(config, "config", ROOT / "config/benchmarks")
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    return {row["arm"]: row for row in bill.bill(found, counts.Counts(found, tmp_path, {}, pinned))}


def test_the_scoring_run_is_charged_before_anything_runs(tmp_path):
    found = billed({}, tmp_path)
    assert set(found) == {"limr", "linear"}  # full and random draws need no run
    limr = found["limr"]
    assert (limr["steps"], limr["scoring_steps"], limr["steps_in_all"]) == (168, 168, 336)
    assert limr["rollouts_in_all"] == 2 * 168 * 1024 * 8
    assert limr["at_equal_steps"] == "never"
    # Once, 168 of 168 steps would have to be saved.
    assert limr["steps_to_save"] == {"2": 84, "3": 56, "5": 34, "10": 17}


def test_early_scoring_is_cheaper_and_a_chain_dearer(tmp_path):
    early = billed({"scores/lim/epochs": 5, "ppo/prompts_per_step": 1024}, tmp_path)["limr"]
    assert early["scoring_steps"] == 5 * 8  # 8,523 problems make 8 whole batches of 1,024
    assert early["scored_from"] == "full, seed 1, 5 epochs"
    assert early["steps_to_save"] == {"1": 40, "2": 20, "3": 14, "5": 8, "10": 4}
    kept = {"scores/lim/epochs": 5, "ppo/drop_last": False}
    assert billed(kept, tmp_path)["limr"]["scoring_steps"] == 5 * 9
    chain = {
        "trajectories/second": {"format": "rollouts", "arm": "limr", "seed": 1},
        "scores/linear/trajectories": "second",
    }
    linear = billed(chain, tmp_path)["linear"]
    assert linear["scored_from"] == "limr, seed 1, after full, seed 1"
    assert linear["scoring_steps"] == 336
    assert set(linear["steps_to_save"]) == {"3", "5", "10"}


def test_a_score_from_a_file_is_not_known(tmp_path):
    file = {"format": "scores-json", "file": "limr_published_lim_scores"}
    found = billed({"trajectories/full": file}, tmp_path)["limr"]
    assert found["scoring_steps"] is found["steps_in_all"] is found["at_equal_steps"] is None
    assert bill.lines([found])[0][2] == "not known"


# --- numbers of problems


def numbers(name: str, results: Path, **given: int) -> counts.Counts:
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    return counts.Counts(load(name), results, given, pinned)


def test_problems_are_counted_where_they_are_known(tmp_path):
    found = numbers("config", tmp_path)
    assert found.arm("full") == counts.Count(8523, "config/sources.yaml")
    assert found.dataset("aime24").n == 30
    assert found.arm("limr").source.startswith("not scored yet: at most")
    assert found.arm("rand-1").n == 8523
    (tmp_path / "subsets").mkdir()
    (tmp_path / "subsets/limr.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n')
    assert found.arm("limr").n == 2
    assert found.arm("rand-1").n == 2  # as large as that arm
    assert numbers("config", tmp_path, limr=1389).arm("rand-1").n == 1389
    assert numbers("single-gpu", tmp_path / "none").arm("full") == counts.Count(
        1024, "arms.full.size"
    )


@pytest.mark.slow
def test_pinned_files_hold_as_many_problems_as_they_say(mirror):
    pinned = sources.load_sources(ROOT / "config/sources.yaml")
    checked = 0
    for path in sorted((ROOT / "config").glob("**/*.yaml")):
        config = yaml.safe_load(path.read_text())
        if not isinstance(config, dict):
            continue
        entries = [config.get("dataset"), *(config.get("datasets") or {}).values()]
        for entry in entries:
            if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
                continue
            source = pinned[entry["file"]]
            file = mirror / source.mirror
            if source.problems is None or not file.is_file():
                continue
            module = plugins.load("datasets", entry["source"])
            full = {**entry, "empty_answers": "keep"}
            problems, _ = module.prepare(full, file)
            assert len(problems) == source.problems, entry["file"]
            checked += 1
    assert checked >= 4


# --- jobs


def stats(name: str) -> dict[str, int]:
    """Return rule -> jobs as a dry run of Snakemake counts them."""
    command = [sys.executable, "-m", "snakemake", "--configfile", name, "--forceall", "--nolock"]
    done = subprocess.run(
        [*command, "--dry-run", "--quiet", "rules"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    text = done.stdout + done.stderr
    rows = re.findall(
        r"^(\w+) +(\d+)$", text.partition("Job stats:")[2].partition("total")[0], re.M
    )
    assert rows, text
    return {rule: int(n) for rule, n in rows}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo-full", "published"])
def test_jobs_are_those_that_snakemake_counts(name: str) -> None:
    found = jobs.jobs(load(name), Path("nowhere"), ROOT)
    assert {rule: n.all for rule, n in found.items()} == stats(f"config/{name}.yaml")


def test_a_job_is_left_where_a_file_or_a_job_before_it_is(tmp_path: Path) -> None:
    study = load("published")
    wanted = job_plan.wanted(study, job_plan.jobs(study))
    for path in (path for job in wanted for path in job.outputs):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert all(n.to_do == 0 for n in jobs.jobs(study, tmp_path, ROOT).values())
    (tmp_path / "results/published/scores/lim.parquet").unlink()
    counted = jobs.jobs(study, tmp_path, ROOT)
    left = {rule: n.to_do for rule, n in counted.items() if n.to_do}
    assert left["import_scores"] == 1
    assert left["select_subset"] == 3  # two cut from it, and one that is as large
    assert left["all"] == 1
    assert not left.keys() & {"prepare_problems", "fetch_source", "score_problems"}


def test_a_large_study_is_planned_in_seconds(tmp_path: Path) -> None:
    """30 arms x 5 seeds x 13 steps x 3 benchmarks: seconds of processor time, without imports."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["seeds"] = [1, 2, 3, 4, 5]
    config["evaluate"]["ppo_steps"] = [8 * step for step in range(1, 14)]
    del config["scores"]["random"]
    some = {f"a{n}": {"train": "ppo", "score": "lim", "size": 1024 + n} for n in range(28)}
    config["arms"] = {"base": {"train": "none"}, "full": config["arms"]["full"], **some}
    begin = time.process_time()
    found = load_study(config, "large", ROOT / "config/benchmarks")
    counted = jobs.jobs(found, ROOT)
    assert time.process_time() - begin < 3
    assert counted["train_ppo"].all == counted["evaluate"].all == 29 * 5


def test_measured_times_are_means_of_what_can_be_read(tmp_path):
    folder = tmp_path / "benchmarks/train_ppo"
    folder.mkdir(parents=True)
    (folder / "a.tsv").write_text("s\th:m:s\n30.0\t0:00:30\n")
    (folder / "b.tsv").write_text("s\th:m:s\n60.0\t0:01:00\n-\t-\n")
    (folder / "c.tsv").write_text("")
    (tmp_path / "benchmarks/evaluate").mkdir()
    (tmp_path / "benchmarks/evaluate/base-seed1.tsv").write_text("s\th:m:s\n6.0\t0:00:06\n")
    names = ("train_ppo", "make_base", "evaluate_base", "all")
    rules = {name: jobs.Jobs(3, 2) for name in names}
    seconds = jobs.measured(tmp_path, rules)
    assert seconds == {"train_ppo": 45.0, "evaluate_base": 6.0}  # it inherits from evaluate
    minutes = {"train_ppo": 1.5, "make_base": None, "evaluate_base": 0.2}
    assert estimate.processor_minutes(rules, seconds) == minutes


# --- whole plans


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without results."""
    folder = tmp_path_factory.mktemp("fresh")
    for name in ("Snakefile", "config", "workflow", "profiles", "envs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.mark.parametrize("name", STUDIES)
def test_plans_of_shipped_studies_are_the_golden_ones(name, fresh, monkeypatch):
    monkeypatch.chdir(fresh)
    golden = GOLDEN / f"plan-{name}.json"
    assert golden.exists(), "write it: python tests/plan/test_plan.py"
    found, expected = planned(name), json.loads(golden.read_text())
    # These are simulated in single precision, whose sums differ between machines.
    choices = [made.pop("choices") for made in (found, expected)]
    for one, other in zip(*choices, strict=True):
        assert one["unlimited_samples"] == pytest.approx(other["unlimited_samples"], abs=0.051)
        assert (one["score"], one["epochs"]) == (other["score"], other["epochs"])
    assert found == expected
    assert all(n["there"] == 0 and n["to_do"] == n["all"] for n in found["jobs"].values())


def test_how_sure_the_choices_of_a_study_will_be():
    study = load("single-gpu")
    sizes = counts.Counts(study, Path("nowhere"), {}, {})
    [found] = sureness.plan(study, sizes)
    # 80 steps of 128 prompts over 1,024 problems; an arm takes 256 of them.
    assert (found["problems"], found["epochs"], found["samples"]) == (1024, 10, 8)
    assert found["share_chosen"] == 0.25
    assert 0.25 < found["second_scoring"] <= found["unlimited_samples"] < 1
    enough = found["enough"]
    assert enough["samples"] * enough["epochs"] <= 80
    first, assumed = sureness.lines([found])
    assert first.startswith("Score 'lim', 8 samples in each of 10 epochs: of its choice about ")
    assert f"{enough['samples']} samples in each of {enough['epochs']} epochs" in first
    assert "One-Shot RLVR's log" in assumed
    assert "nothing that was tried is enough" in sureness.lines([{**found, "enough": None}])[0]
    assert sureness.lines([]) == []


def test_what_people_read(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = plan.text(json.loads((GOLDEN / "plan-config.json").read_text()))
    assert "Base model: 7.62 B parameters (the shape of Qwen/Qwen2.5-Math-7B)" in text
    assert "train_ppo limr" in text
    assert "GPU hours: " in text
    assert "2: 84, 3: 56, 5: 34, 10: 17" in text
    assert "At equal steps a chosen subset never pays its scoring run back." in text
    command = next(line for line in text.splitlines() if "train_ppo_ray" in line)
    assert "--actor.adam.lr 5e-07" in command
    assert command.startswith("python -m openrlhf.cli.train_ppo_ray ")


def test_the_headers_of_studies_say_what_the_plan_says():
    for name in STUDIES:
        found = json.loads((GOLDEN / f"plan-{name}.json").read_text())["totals"]
        ends = [found["gpu_hours"][end] for end in ("low", "central", "high")]
        hours = [f"{float(f'{value:.2g}'):,g}" for value in ends]
        text = (ROOT / f"config/{name}.yaml").read_text()
        wanted = f"{hours[1]} GPU hours of an H100 ({hours[0]} to {hours[2]}"
        assert wanted in text, f"config/{name}.yaml: its cost must read '{wanted}'"
        assert wanted.replace(" of an H100", "") in (ROOT / "docs/plan.md").read_text()


def test_bad_usage_is_exit_code_2(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    cases = {
        ("nowhere.yaml",): "no such file",
        ("config/config.yaml", "--gpu", "h10"): "Did you mean 'h100'",
        ("config/config.yaml", "--parameters", "-1"): "must be greater than 0",
        ("config/config.yaml", "--problems", "limr"): "expected NAME=N",
        ("config/config.yaml", "--problems", "lmr=3"): "Did you mean 'limr'",
        ("config/sources.yaml",): "not a key",
    }
    for words, message in cases.items():
        assert command_line.main(["plan", *words]) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text("a: [")
    assert command_line.main(["plan", str(tmp_path / "bad.yaml")]) == 2
    with pytest.raises(InputError, match="no Snakefile"):
        jobs.jobs(load("config"), tmp_path)


def test_a_study_that_the_engine_refuses_has_no_plan():
    found = load("single-node")
    found.config["engines"]["openrlhf"]["micro_train"] = 3
    training, generation = estimate.plans(found)
    assert training is not None
    assert generation is not None
    with pytest.raises(InputError, match="train_batch_size 256 is not a multiple"):
        training(found, "full", 8523, 10**9)


def test_studies_on_a_cpu_need_no_gpu_plan():
    assert estimate.plans(load("demo")) == (None, None)


def test_states_are_sized_for_every_engine():
    assert estimate.states(load("demo")) == {}
    # Of `full` and `decayed-rounds-round1`, at two steps and one, for five seeds. A state of the
    # miniature as PyTorch writes it has 4,568,911 bytes.
    found = estimate.states(load("online"))["states"]
    assert (found["n"], found["gb"]) == (15, pytest.approx(15 * found["gb_each"], rel=0.01))
    assert found["gb_each"] == pytest.approx(4_568_911e-9, rel=0.03)
    study = load("online-single-node")
    assert estimate.states(study) == {}  # those of runs on GPUs are told with the runs
    training, _ = estimate.plans(study)
    full, continued = (training(study, arm, 8523, 10**9) for arm in ("full", "full-continued"))
    assert full.start_bytes == 28e9
    assert full.state_bytes == 4 * 28e9 + 2 * 2e9  # a checkpoint more than a run without a state
    assert "--ckpt.load_enable" not in full.commands[0]
    assert "--ckpt.load_enable" in continued.commands[0]


def test_the_papers_study_has_all_its_arms():
    found = load("config")
    assert list(found.arms) == [
        *("base", "full", "limr", "rand-1", "rand-2", "linear", "limo-sft", "s1-sft")
    ]
    steps = {name: found.arms[name].settings["steps"] for name in ("limo-sft", "s1-sft")}
    assert steps == {"limo-sft": 15 * 817 // 16, "s1-sft": 5 * 63}  # 1,000 solutions: 63 batches
    training, _ = estimate.plans(found)
    assert training is not None
    layout = training(found, "limo-sft", 817, 7 * 10**9)
    assert layout.gpus == 8
    assert "--data.max_len 16384" in " ".join(layout.commands[0])


if __name__ == "__main__":
    argparse.ArgumentParser(description="Write the golden plans.").parse_args()
    for stem in STUDIES:
        files.write_json(GOLDEN / f"plan-{stem}.json", planned(stem))
