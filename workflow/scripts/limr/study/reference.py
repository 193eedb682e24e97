"""The reference page of configuration keys, made from the classes that declare them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml

from limr.core import plugins
from limr.core.validation import ABSENT, Keys, choices, options
from limr.study import schema

HEAD = """\
# Configuration

A study is one YAML file. This page is generated (`make docs`) from what the workflow itself checks:
`limr/study/schema.py` and the plug-ins; unknown keys are errors. Without a study named by
`--configfile`, Snakemake runs `config.yaml`. To begin with a study of your own, copy
`template.yaml` and follow [docs/bring-your-own.md](../docs/bring-your-own.md); to take the workflow
as a module of your own Snakefile, see [docs/module.md](../docs/module.md). The studies here:

- `template.yaml`: yours, with a comment on every line that you may want to change.
- `config.yaml`: the paper's study, the default of a bare `snakemake`: two nodes of 8 GPUs. Its
  first lines and [docs/plan.md](../docs/plan.md) say what it costs.
- `single-node.yaml`: the method with Qwen2.5-Math-1.5B on 8 GPUs; `single-gpu.yaml`: with
  Qwen2.5-0.5B on one.
- `demo.yaml`: the whole experiment in miniature on a CPU, in minutes; `demo-full.yaml`: with all
  controls and five seeds, in hours (docs/controls.md); `noisy-scores.yaml`: whether scores that
  know their noise train better (docs/noisy-scores.md); `samplers.yaml`: whether online samplers do
  (docs/samplers.md).
- `map.yaml`: where choosing pays, by size, share that teaches nothing and steps; `map-kinds.yaml`:
  by its kind; `map-large.yaml`: in pools of 2,048; `map-families.yaml`: on families that the pool
  lacks (docs/map.md).
- `online.yaml`: score, then go on from the same checkpoint, with controls (docs/online.md);
  `online-single-node.yaml`: its plan for 8 GPUs.
- `map-single-node.yaml`: a sweep of subset sizes and selectors for 8 GPUs (docs/sweeps.md).
- `published.yaml`: MATH-FULL and the published scores give the paper's subset; nothing is trained.
- `benchmarks/*.yaml`: one file per benchmark.
- `sources.yaml`: the pinned public files, with sha256.

Numbers: write `5.0e-7`, not `5e-7`, which YAML takes for a text.
"""
ROW = "| {key} | {type} | {default} | {description} |"
TITLE = "| key | type | default | meaning |\n|---|---|---|---|"
_NAMES: dict[Any, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}
_NAMES |= {list: "array", dict: "object", types.NoneType: "null", Any: "object"}


def page() -> str:
    """Return the whole page, in Markdown."""
    parts = [HEAD, "## Keys of a study\n", TITLE, *rows(schema.Study)]
    parts += ["\n## Keys of a benchmark file\n", TITLE, *rows(schema.Benchmark)]
    for kind, attribute, heading in (
        ("datasets", "Options", "Problem sets: `datasets.*`"),
        ("selectors", "Options", "Selectors: `scores.*`"),
        ("importers", "Options", "Importers: `trajectories.*`"),
        ("engines", "Options", "Engines: `engines.*`"),
        ("engines", "Base", "Base policies: `base`, by training engine"),
        ("rewards", "Options", "Rewards: `reward` and `arms.*.reward`"),
        ("samplers", "Options", "Samplers: `arms.*.sampler`"),
        ("tables", "Options", "Tables: `tables.*`"),
        ("figures", "Options", "Figures: `figures.*`"),
        ("targets", "Options", "Trainers that subsets go to: `limr export --to`"),
    ):
        parts += ["", f"## {heading}", *_plug_ins(kind, attribute)]
    return "\n".join(parts) + "\n"


def _plug_ins(kind: str, attribute: str) -> Iterator[str]:
    for name in plugins.names(kind):
        module = plugins.load(kind, name)
        keys = options(module) if attribute == "Options" else getattr(module, attribute, None)
        if keys is None:
            continue
        yield f"\n**`{name}`**: {(module.__doc__ or '').strip().splitlines()[0]}"
        if keys.model_fields:
            yield from ("", TITLE, *rows(keys))


def rows(keys: type[Keys], prefix: str = "") -> list[str]:
    """Return a row of a table under `TITLE` for each key, nested ones by their dotted path."""
    found: list[str] = []
    for name, field in keys.model_fields.items():
        found.append(_row(keys, name, prefix))
        inner, path = _within(field.annotation)
        if inner is not None and inner not in (schema.PpoChanges, schema.SftChanges):
            found += rows(inner, f"{prefix}{name}{path}.")
    return found


def _within(kind: Any) -> tuple[type[Keys] | None, str]:
    """Return the keys in a type, and how their path goes on: `.*` in a mapping, `[]` in a list."""
    if isinstance(kind, type) and issubclass(kind, Keys):
        return kind, ""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _within(parts[0])
    if origin in (list, dict):
        inner, path = _within(parts[-1])
        return inner, (".*" if origin is dict else "[]") + path
    for part in parts if origin in (Union, types.UnionType) else ():
        inner, path = _within(part)
        if inner is not None:
            return inner, path
    return None, ""


def _row(keys: type[Keys], name: str, prefix: str) -> str:
    field = keys.model_fields[name]
    default = "required" if field.is_required() else ""
    if field.default not in ({}, None, []) and field.default is not ABSENT and not default:
        value = field.default
        text = (
            f"{value:g}"
            if isinstance(value, float)
            else yaml.safe_dump(value, default_flow_style=True)
        )
        default = f"`{text.strip().removesuffix('...').strip()}`"
    known = choices(keys, name)
    return ROW.format(
        key=f"`{prefix}{name}`",
        type=_type(field.annotation) if known is None else _listed(known),
        default=default,
        description=str(field.description or "").replace("|", "\\|"),
    )


def _listed(values: list[Any]) -> str:
    return ", ".join(f"`{'null' if value is None else value}`" for value in values)


def _type(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return _listed(list(parts))
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(part) for part in parts))
    return _NAMES.get(origin or kind, "object")
