"""OpenRLHF: PPO and supervised fine-tuning on GPU clusters.

Not part of this version: a study that names it is checked and planned (`snakemake -n`), and is
refused before its first job starts.
"""

from __future__ import annotations

PLANNED = "OpenRLHF's engine is not part of this version; 'embedded' is."

OPTIONS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "gpus_per_node": {
            "type": "integer",
            "minimum": 1,
            "default": 8,
            "description": "GPUs of a node.",
        },
        "nodes": {"type": "integer", "minimum": 1, "default": 2, "description": "Nodes of a run."},
    },
}

BASE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model"],
    "properties": {
        "model": {
            "type": "string",
            "description": "Hugging Face name or folder of the base model.",
        },
        "template": {
            "type": "string",
            "default": "qwen-boxed",
            "description": "Prompt template.",
        },
    },
}
