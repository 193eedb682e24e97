"""Tests on a CPU only: changes some modules as they are imported; see README.md."""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import tempfile


def _torch(torch):
    """Nothing to select or to wait for; tensors that go to 'the current device' stay."""
    torch.cuda.set_device = lambda *_: None
    torch.cuda.synchronize = lambda *_: None
    torch.cuda.empty_cache = lambda: None
    torch.cuda.current_device = lambda: "cpu"


def _replay_buffer(module):
    """Its device is written f"cuda:{...}"."""
    real = module.torch

    class Torch:
        def __getattr__(self, name):
            return getattr(real, name)

        @staticmethod
        def device(name):
            return real.device("cpu" if str(name).startswith("cuda") else name)

    module.torch = Torch()


def _strategy(module):
    """PyTorch's Adam: DeepSpeed's would be compiled first, for minutes."""
    configured = module.get_train_ds_config

    def get_train_ds_config(*args, **options):
        found = configured(*args, **options)
        if "optimizer" in found:
            found["optimizer"]["params"]["torch_adam"] = True
        return found

    module.get_train_ds_config = get_train_ds_config
    made = module.init_device_mesh
    module.init_device_mesh = lambda _kind, *args, **options: made("cpu", *args, **options)


def _communication(module):
    """One process needs no shared memory: DeepSpeed's would be compiled first, too."""
    module.build_shm_op = lambda: None


def _actor(module):
    """Weights go to vLLM through a file."""
    import ray
    from safetensors.torch import save_file

    trainer = module.ActorPPOTrainer

    def broadcast_to_vllm(self):
        weights = dict(self.actor.model.module.named_parameters())
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/weights.safetensors"
            save_file({name: one.data.clone().contiguous() for name, one in weights.items()}, path)
            kind = next(iter(weights.values())).dtype
            ray.get([one.update_weight.remote(path, kind, ()) for one in self.vllm_engines])

    trainer._init_vllm_sync_group = lambda self, backend: None
    trainer.broadcast_to_vllm = broadcast_to_vllm


def _worker(module):
    def update_weight(self, name, dtype, shape, empty_cache=False):
        from safetensors.torch import load_file

        assert dtype == self.model_config.dtype, (dtype, self.model_config.dtype)
        self.reload_weights(weights_iterator=iter(load_file(name).items()))

    module.WorkerWrap.update_weight = update_weight


def _cluster(module):
    """Ray takes the number of GPUs that it is told."""
    module.visible_gpus = lambda: None


def _node(module):
    """The look at a node finds what it asks for."""
    module.cards = lambda: [{"name": "none: tests on a CPU", "memory_gb": 0, "capability": ""}]


CHANGES = {
    "torch": _torch,
    "openrlhf.trainer.ppo_utils.replay_buffer": _replay_buffer,
    "openrlhf.utils.deepspeed.deepspeed": _strategy,
    "deepspeed.comm.torch": _communication,
    "openrlhf.trainer.ray.ppo_actor": _actor,
    "openrlhf.trainer.ray.vllm_worker_wrap": _worker,
    "limr.train.openrlhf.cluster": _cluster,
    "limr.slurm.node": _node,
}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader, change):
        self.loader, self.change = loader, change

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.change(module)

    def __getattr__(self, name):
        return getattr(self.loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name not in CHANGES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, CHANGES[name])
        return spec


# A third of a start would be looks for garbage among the million objects that imports make.
gc.disable()
_ASKED = os.environ.get("LIMR_TESTS_ON_CPU")
if _ASKED == "node":  # vLLM's build for CPUs needs no change, the look at a node does
    CHANGES = {"limr.slurm.node": _node}
if _ASKED:
    sys.meta_path.insert(0, _Finder())
