"""vLLM: generation for evaluations on GPUs.

Not part of this version: a study that names it is checked and planned (`snakemake -n`), and is
refused before its first job starts.
"""

from __future__ import annotations

PLANNED = "vLLM's engine is not part of this version; 'embedded' is."

OPTIONS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "tensor_parallel": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "GPUs that share a model.",
        },
    },
}
