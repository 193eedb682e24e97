"""The reference page of configuration keys, made from the schemas and the plug-ins."""

from __future__ import annotations

import importlib
from typing import Any

import yaml

from limr.core import plugins, validation

Json = dict[str, Any]

HEAD = """\
# Configuration

A study is one YAML file. This page is generated from `workflow/schemas/` and the plug-ins
(`make docs`); unknown keys are errors. Without a study named by `--configfile` Snakemake runs
`config.yaml`. To begin with a study of your own, copy `template.yaml` and follow
[docs/bring-your-own.md](../docs/bring-your-own.md); to take the workflow as a module of your own
Snakefile: [docs/module.md](../docs/module.md). The studies here:

- `template.yaml`: yours, with a comment on every line that you may want to change.

- `config.yaml`: the paper's study, the default of a bare `snakemake`: two nodes of 8 GPUs. What it
  costs stands in its first lines and in [docs/plan.md](../docs/plan.md).
- `single-node.yaml`: the method with Qwen2.5-Math-1.5B on 8 GPUs; `single-gpu.yaml`: with
  Qwen2.5-0.5B on one.
- `demo.yaml`: the whole experiment in miniature on a CPU, in minutes; `demo-full.yaml`: with all
  controls and five seeds, in hours (docs/controls.md).
- `published.yaml`: MATH-FULL and the published scores give the paper's subset; nothing is trained.
- `benchmarks/*.yaml`: one file a benchmark.
- `sources.yaml`: the pinned public files, with sha256.

Numbers: write `5.0e-7`, not `5e-7`, which YAML takes for a text.
"""
ROW = "| {key} | {type} | {default} | {description} |"
TITLE = "| key | type | default | meaning |\n|---|---|---|---|"


def page() -> str:
    """Return the whole page, in Markdown."""
    parts = [HEAD, "## Keys of a study\n", TITLE, *_rows(validation.load("study"), "")]
    parts += ["\n## Keys of a benchmark file\n", TITLE, *_rows(validation.load("benchmark"), "")]
    for kind, attribute, heading in (
        ("datasets", "OPTIONS", "Problem sets: `datasets.*`"),
        ("selectors", "OPTIONS", "Selectors: `scores.*`"),
        ("importers", "OPTIONS", "Importers: `trajectories.*`"),
        ("engines", "OPTIONS", "Engines: `engines.*`"),
        ("engines", "BASE", "Base policies: `base`, by training engine"),
        ("rewards", "OPTIONS", "Rewards: `reward` and `arms.*.reward`"),
        ("tables", "OPTIONS", "Tables: `tables.*`"),
        ("figures", "OPTIONS", "Figures: `figures.*`"),
    ):
        parts += ["", f"## {heading}", *_plugins(kind, attribute)]
    return "\n".join(parts) + "\n"


def _plugins(kind: str, attribute: str) -> list[str]:
    lines: list[str] = []
    for name in plugins.names(kind):
        module = plugins.load(kind, name)
        options = getattr(module, attribute, None)
        if options is None:
            continue
        summary = (module.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"**`{name}`**: {summary}"]
        found = rows(options)
        lines += ["", TITLE, *found] if found else []
    return lines


def rows(options: Json) -> list[str]:
    """Return a row of a table under `TITLE` for each key of a plug-in's options."""
    return _rows(options, "")


def _rows(node: Json, prefix: str) -> list[str]:
    """Return a row for each key of a schema, nested ones by their dotted path."""
    if "x-schema" in node:
        module, name = node["x-schema"].split(":")
        node = {**node, **getattr(importlib.import_module(module), name)}
    found: list[str] = []
    parts = dict(node.get("properties", {}))
    if isinstance(node.get("additionalProperties"), dict):
        parts["*"] = node["additionalProperties"]
    for key, part in parts.items():
        path = f"{prefix}{key}"
        if key != "*":
            required = key in node.get("required", [])
            found.append(_row(path, part, required))
        found += _rows(part, f"{path}.")
        if part.get("type") == "array" and part["items"].get("type") == "object":
            found += _rows(part["items"], f"{path}[].")
    return found


def _row(path: str, part: Json, required: bool) -> str:
    default = "required" if required else ""
    if "default" in part and part["default"] not in ({}, None, []):
        value = part["default"]
        text = (
            f"{value:g}"
            if isinstance(value, float)
            else yaml.safe_dump(value, default_flow_style=True)
        )
        default = f"`{text.strip().removesuffix('...').strip()}`"
    return ROW.format(
        key=f"`{path}`",
        type=_type(part),
        default=default,
        description=str(part.get("description", "")).replace("|", "\\|"),
    )


def _type(part: Json) -> str:
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "anyOf" in part:
        return " or ".join(_type(option) for option in part["anyOf"])
    kind = part.get("type", "")
    if isinstance(kind, list):
        return " or ".join(kind)
    return str(kind)
