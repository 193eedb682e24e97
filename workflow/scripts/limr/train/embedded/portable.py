"""The same bytes on every x86-64 processor with AVX2: `determinism: portable`.

docs/determinism.md says which operations differ between processors, and what is promised.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.models.interface import Settings

# PyTorch's own kernels, MKL's (exp and log of whole tensors) and NumPy's matrix products.
ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
}
NEEDED = ("AVX2", "FMA3")
# How builds of OpenBLAS name their functions.
_NAMES = ("scipy_openblas_{}64_", "openblas_{}64_", "openblas_{}")
WHERE = "engines.embedded.determinism: portable"
HOW = "Or write `determinism: machine`: the results are then those of this kind of machine."


def check(options: Settings) -> None:
    """Refuse options that portable results cannot have; raises InputError."""
    if options["device"] != "cpu" or options["threads"] != 1:
        raise InputError(
            f"{WHERE}: needs `device: cpu` and `threads: 1`, since sums depend on both; here are "
            f"`device: {options['device']}` and `threads: {options['threads']}`. {HOW}"
        )


def prepare() -> None:
    """Choose the kernels of this process, before it imports PyTorch, which looks only once.

    Raises InputError on a processor without AVX2, where PyTorch has been imported with other
    kernels, and where NumPy's BLAS is not OpenBLAS.
    """
    missing = lacking()
    if missing:
        raise InputError(f"{WHERE}: this processor has no {' and no '.join(missing)}. {HOW}")
    if "torch" in sys.modules and any(os.environ.get(k) != v for k, v in ENVIRONMENT.items()):
        raise InputError(
            f"{WHERE}: PyTorch has been imported in this process, with kernels of its own choice. "
            f"Start a new process and let limr import it. {HOW}"
        )
    os.environ.update(ENVIRONMENT)
    _use_haswell()


def lacking() -> list[str]:
    """Return which instructions this processor lacks for portable results."""
    return [name for name in NEEDED if not _features().get(name)]


def _features() -> dict[str, bool]:
    """Return what NumPy found of this processor, feature -> whether it is there."""
    found: dict[str, bool] = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return found


def _use_haswell() -> None:
    """Have OpenBLAS look at its environment again: NumPy loaded it long before."""
    library: Any = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    for form in _NAMES:
        try:
            name = library[form.format("get_corename")]
            threads = library[form.format("set_num_threads")]
            steps = library["gotoblas_dynamic_quit"], library["gotoblas_dynamic_init"]
        except AttributeError:
            continue
        name.restype = ctypes.c_char_p
        if name() != b"Haswell":
            for step in steps:
                step()
        threads(1)
        if name() == b"Haswell":
            return
    raise InputError(
        f"{WHERE}: NumPy's matrix products here are not OpenBLAS's, or have no kernels for AVX2. "
        f"Install NumPy as envs/ says. {HOW}"
    )
