"""`determinism: portable`: the same bytes whatever kernels a processor would get."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import embedded_case as case
from limr.core.errors import InputError
from limr.train.embedded import portable, products
from limr.train.engines import embedded
from small_study import TINY, little, make_project

PORTABLE = {**case.OPTIONS, "determinism": "portable"}
# Everything that a study has of the engine: a base, a run of PPO, an evaluation's responses.
RUN = """
import hashlib, json, sys
from pathlib import Path
from limr.core.tables import Problem
from limr.models.interface import BaseJob, Decoding, PpoJob
from limr.train.engines import embedded
from small_study import TINY, little, make_project
given, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
options, base = given["options"], given["base"]
problems = [Problem(f"p{n}", f"{n}+{n}=?", str(2 * n), "test", 1) for n in range(8)]
embedded.make_base(BaseJob(base, options, problems, folder / "bs", folder / "base"))
embedded.train_ppo(PpoJob(
    "full", 1, folder / "base", problems, options, given["grader"], folder / "ps",
    {2: folder / "policy"}, folder / "m.parquet", folder / "r.json", {}, given["ppo"],
    given["reward"], folder / "rollouts.parquet",
))
policy = embedded.open_policy(folder / "policy", options)
responses = policy.generate([p.prompt for p in problems], Decoding("d", 8, 1.0, 1.0, 9), 1)
names = ("base/model.safetensors", "policy/model.safetensors", "rollouts.parquet")
digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
digests["responses"] = hashlib.sha256(repr(responses).encode()).hexdigest()
print(json.dumps(digests))
"""
# What a user's shell, a site or another processor would choose.
MACHINES = {
    "as it is": {},
    "sse": {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "MKL_CBWR": "AVX512"},
    "mkl": {"MKL_CBWR": "AVX2,STRICT", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_DYNAMIC": "FALSE"},
}


def digests(folder, options, environment, *emulator):
    """What a process with these variables makes, name -> sha256."""
    warmup = {"steps": 2, "batch_size": 6, "learning_rate": 1e-2, "clean_share": 0.5}
    warmup |= {"warmup_steps": 1, "levels": [1], "seed": 3}
    base = {**case.TINY, "warmup": warmup}
    ppo = {**case.PPO, "steps": 2, "max_prompt_tokens": 40, "max_response_tokens": 9}
    given = {"options": options, "base": base, "ppo": ppo, "reward": case.REWARD, "grader": {}}
    kept = {key: value for key, value in os.environ.items() if key not in portable.ENVIRONMENT}
    # An emulator starts the interpreter itself, not the link to it in a virtual environment.
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [*emulator, str(Path(sys.executable).resolve()), "-c", RUN, json.dumps(given), str(folder)],
        env={**kept, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_environment_changes_nothing(tmp_path):
    first, second = ({**MACHINES["as it is"]}, {**MACHINES["sse"], **MACHINES["mkl"]})
    assert digests(tmp_path / "a", PORTABLE, first) == digests(tmp_path / "b", PORTABLE, second)


@pytest.mark.long
def test_every_capability_gives_the_same_bytes(tmp_path):
    found = {name: digests(tmp_path / name, PORTABLE, own) for name, own in MACHINES.items()}
    assert all(one == found["as it is"] for one in found.values()), found
    # the sweep is one: what the machine chooses does change bytes
    chosen = [digests(tmp_path / f"own {n}", case.OPTIONS, MACHINES[n]) for n in ("sse", "avx2")]
    assert chosen[0] != chosen[1]


@pytest.mark.long
@pytest.mark.parametrize("processor", ["Haswell", "EPYC-Rome"])  # Intel's and AMD's
def test_an_emulated_processor_gives_the_same_bytes(tmp_path, processor):
    emulator = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
    if emulator is None:
        pytest.skip("qemu's emulator of single programs (Debian: qemu-user-static) is not here")
    emulated = digests(tmp_path / "emulated", PORTABLE, {}, emulator, "-cpu", processor)
    assert emulated == digests(tmp_path / "here", PORTABLE, {})


def test_a_processor_without_avx2_is_refused(monkeypatch):
    monkeypatch.setattr(portable, "_features", lambda: {"SSE42": True, "FMA3": True})
    with pytest.raises(InputError, match=r"portable: this processor has no AVX2\. Or write"):
        portable.prepare()


def test_a_process_that_has_pytorch_already_is_refused(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx512")
    with pytest.raises(InputError, match="PyTorch has been imported in this process"):
        portable.prepare()


@pytest.mark.parametrize("change", [{"threads": 2}, {"device": "auto"}, {"device": "cuda"}])
def test_what_cannot_be_portable_is_refused_before_any_job(change):
    study = SimpleNamespace(config={"engines": {"embedded": {**PORTABLE, **change}}})
    with pytest.raises(InputError, match="needs `device: cpu` and `threads: 1`"):
        embedded.check(study)
    embedded.check(SimpleNamespace(config={"engines": {"embedded": PORTABLE}}))


def test_another_blas_is_refused(monkeypatch):
    monkeypatch.setattr(portable, "_NAMES", ("mkl_{}",))  # no such functions
    with pytest.raises(InputError, match="are not OpenBLAS's"):
        portable._use_haswell()


def test_products_and_their_gradients_are_pytorchs():
    generator = torch.Generator().manual_seed(1)

    def numbers(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)

    x, weight, bias = numbers(5, 3), numbers(4, 3), numbers(4)
    assert torch.allclose(
        products.linear(x, weight, bias), torch.nn.functional.linear(x, weight, bias)
    )
    assert torch.autograd.gradcheck(products.linear, (x, weight, bias))
    assert torch.autograd.gradcheck(products.linear, (x, weight))
    left, right = numbers(2, 3, 4, 2), numbers(2, 3, 2, 5)
    assert torch.allclose(products.matmul(left, right), left @ right)
    assert torch.autograd.gradcheck(products.matmul, (left, right.transpose(2, 3).contiguous().mT))


@pytest.mark.long
def test_a_whole_study_gives_the_same_bytes_under_every_capability(tmp_path, monkeypatch):
    engines = {"embedded": {**TINY["engines"]["embedded"], "determinism": "portable"}}
    study, found = little(engines=engines), {}
    for name, own in MACHINES.items():
        project = make_project(tmp_path / name)
        project.write(study)
        with monkeypatch.context() as chosen:
            for key in portable.ENVIRONMENT:
                chosen.delenv(key, raising=False)
            for key, value in own.items():
                chosen.setenv(key, value)
            project.finish()
        found[name] = project.digests()
    assert len(found["as it is"]) > 40
    assert all(one == found["as it is"] for one in found.values())
