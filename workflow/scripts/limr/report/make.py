"""Make tables and figures from results, and write their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from limr.analysis import load
from limr.analysis.results import Inputs, Json
from limr.core import files, plugins, validation
from limr.core.errors import InputError
from limr.report import table_text


def _prepared(
    kind: str, name: str, inputs: Inputs, options: Mapping[str, Any]
) -> tuple[ModuleType, Json]:
    """Return a plug-in and its options with defaults.

    Raises:
        InputError: unknown plug-in or option, or the study lacks what the plug-in requires.
    """
    module = plugins.load(kind, name)
    where = f"{kind.removesuffix('s')} '{name}'"
    for needed in module.REQUIRES:
        if getattr(inputs, needed) is None:
            raise InputError(
                f"{where} needs {needed}, which this study does not make. Leave it out of the "
                "study."
            )
    return module, validation.complete(dict(options), validation.options(module), where)


def make_all(
    kind: str, settings: Json, given: load.Given, outputs: Mapping[str, Sequence[Path | str]]
) -> None:
    """Make the tables or the figures of a job, each from what it asks for and nothing else.

    Args:
        kind: `tables` or `figures`.
        settings: those of the job (`limr.study.jobs.report`).
        given: its inputs.
        outputs: its outputs, by name in the order of `settings[kind]`.

    Raises:
        InputError: the study lacks what one of them is made of, or a file is not what it should be.
    """
    for number, (name, asked) in enumerate(settings[kind].items()):
        reads, options = asked["reads"], asked["options"]
        study = dict(settings["study"])
        for key in reads:
            study |= settings["told"].get(key, {})
        costed = settings["runs"] if "runs" in reads else []
        # Read anew for each, so that what one of them does to its inputs is nothing to the others.
        inputs = load.inputs(study, {key: given[key] for key in reads}, costed)
        paths = {key: made[number] for key, made in outputs.items()}
        if kind == "tables":
            make_table(name, inputs, options, paths)
        else:
            draw_figure(name, inputs, options, paths, settings.get("style", "screen"))


def make_table(
    name: str, inputs: Inputs, options: Mapping[str, Any], outputs: Mapping[str, Path | str]
) -> None:
    """Build a table and write it for machines (full precision), for people and for papers.

    Args:
        name: the plug-in.
        inputs: what the study has.
        options: the table's options.
        outputs: paths of `tsv`, `markdown` and `latex`.

    Raises:
        InputError: unknown table or option, or the study lacks what it is made of.
    """
    module, settings = _prepared("tables", name, inputs, options)
    frame = module.build(inputs, settings)
    if not len(frame.columns):
        raise InputError(f"table '{name}': the study has nothing that it could show.")
    files.write_tsv(outputs["tsv"], frame)
    shown, caption = table_text.texts(frame, module), str(module.caption(frame))
    text = f"{table_text.markdown(shown)}\n\n**{module.TITLE}.** {caption}\n"
    files.write_text(outputs["markdown"], text)
    label = f"{inputs.study['study']}-{name}"
    files.write_text(outputs["latex"], table_text.latex(shown, module.TITLE, caption, label))


def draw_figure(
    name: str,
    inputs: Inputs,
    options: Mapping[str, Any],
    outputs: Mapping[str, Path | str],
    style: str = "screen",
) -> None:
    """Draw a figure and write it with its data.

    Args:
        name: the plug-in.
        inputs: what the study has.
        options: the figure's options.
        outputs: paths of `pdf`, `png`, `svg`, `tsv` and `caption`.
        style: `paper` for a PDF and a PNG of a paper's width; the SVG is for the page in any case.

    Raises:
        InputError: unknown figure or option, or the study lacks what it is made of.
    """
    from limr.report.figures import _style

    module, settings = _prepared("figures", name, inputs, options)
    frame = module.data(inputs, settings)
    files.write_tsv(outputs["tsv"], frame)
    with _style.applied():
        of_paper = ("pdf", "png") if style == "paper" else ()
        figure = module.draw(frame, settings)
        _style.save(figure, {k: outputs[k] for k in ("pdf", "png", "svg") if k not in of_paper})
        if of_paper:
            _style.fit_for_paper(figure)
            _style.save(figure, {k: outputs[k] for k in of_paper}, _style.PAPER_DPI)
    files.write_text(outputs["caption"], f"{module.TITLE}. {module.caption(frame)}\n")
