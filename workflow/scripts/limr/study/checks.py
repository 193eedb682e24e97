"""What no schema can say: that names exist, steps lie within runs, nothing depends on itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limr.core import plugins, validation
from limr.core.errors import InputError, nearest
from limr.study import continued, preregistration, samplers
from limr.study.arms import Arm

if TYPE_CHECKING:
    from limr.study.study import Study


def check(study: Study) -> None:
    """Check that a study agrees with itself, whatever files there are.

    Raises:
        InputError: it does not; the first cause.
    """
    _check_datasets(study)
    _check_scores(study)
    continued.check_starts(study.arms, study.where)
    _check_trajectories(study)
    _check_arms(study)
    samplers.check(study)
    _check_steps(study)
    _check_contamination(study)
    _check_declared(study)
    _check_engines(study)
    _check_shown(study)
    _check_cycles(study)


def _check_datasets(study: Study) -> None:
    wanted = [("dataset", study.config["dataset"])]
    for kind in ("scores", "trajectories"):
        for name, entry in study.config[kind].items():
            if entry.get("dataset"):
                wanted.append((f"{kind}.{name}.dataset", entry["dataset"]))
    read = {*study.config["trajectories"], *study.config["scores"]}
    own = study.config["archive"]["own_files"]
    wanted += [("archive.own_files", name) for name in own if name not in read]
    for key, name in wanted:
        if name not in study.config["datasets"]:
            known = nearest(name, study.config["datasets"])
            raise InputError(f"{study.where}: {key}: '{name}' is not under datasets.{known}")


def _check_scores(study: Study) -> None:
    trajectories = study.config["trajectories"]
    for name, entry in study.config["scores"].items():
        at = f"{study.where}: score '{name}'"
        selector = plugins.load("selectors", entry["selector"])
        source = entry.get("trajectories")
        if source is not None and source not in trajectories:
            raise InputError(
                f"{at}: trajectories '{source}' is not defined under trajectories."
                f"{nearest(source, trajectories)}"
            )
        if selector.NEEDS_TRAJECTORIES and source is None:
            raise InputError(f"{at}: selector '{entry['selector']}' needs 'trajectories: NAME'.")
        if entry["draws"] > 1 and not selector.SEEDED:
            raise InputError(
                f"{at}: selector '{entry['selector']}' is not random: draws must be 1."
            )
    for name, score in study.scores.items():
        selector = plugins.load("selectors", score["selector"])
        if hasattr(selector, "check"):
            try:
                selector.check(score["options"])
            except InputError as error:
                raise InputError(f"{study.where}: score '{name}': {error}") from None


def _check_trajectories(study: Study) -> None:
    for name, entry in study.trajectories.items():
        at = f"{study.where}: trajectories '{name}'"
        given = [key for key in ("arm", "path", "file") if entry.get(key) is not None]
        if name in study.sampled:
            if given:
                raise InputError(f"{at}: '{given[0]}': the study draws these responses itself.")
            continue
        if len(given) != 1:
            raise InputError(f"{at}: give one of 'arm' (with 'seed'), 'path' or 'file'.")
        if entry.get("seed") == continued.EACH:
            raise InputError(f"{at}: seed: 'each' goes with 'arm': its runs are of seeds.")
        if given == ["arm"]:
            _check_run(study, entry, at)
        importer = plugins.load("importers", entry["format"])
        try:
            if hasattr(importer, "check"):
                importer.check(entry)
        except InputError as error:
            raise InputError(f"{at}: {error}") from None


def _check_run(study: Study, entry: dict[str, Any], at: str) -> None:
    """Refuse curves of a run, or of steps of it, that the study has not."""
    if entry["arm"] not in study.arms_by("ppo"):
        known = nearest(entry["arm"], study.arms_by("ppo"))
        raise InputError(f"{at}: '{entry['arm']}' is not an arm with train: ppo.{known}")
    arm = study.arms[entry["arm"]]
    if entry.get("seed") not in arm.seeds:
        raise InputError(f"{at}: seed {entry.get('seed')} is not in seeds {list(arm.seeds)}.")
    first, last = entry.get("steps", (1, 1))
    if last > arm.settings["steps"]:
        raise InputError(
            f"{at}: steps [{first}, {last}]: the run of '{arm.group}' ends at step "
            f"{arm.settings['steps']}."
        )


def _check_arms(study: Study) -> None:
    for arm in study.arms.values():
        size = arm.cut.get("size")
        if isinstance(size, str) and size not in study.selected:
            known = nearest(size, study.selected)
            raise InputError(f"{study.where}: arm '{arm.group}': size: no arm '{size}'.{known}")
        if isinstance(size, int):
            _check_size(study, arm, size)
        if arm.template is not None:
            _check_template(study, arm)
        if arm.train == "sft":
            source = study.datasets[study.arm_dataset(arm.name)]["source"]
            if not hasattr(plugins.load("datasets", source), "solutions"):
                raise InputError(
                    f"{study.where}: arm '{arm.group}': dataset source '{source}' has no worked "
                    "solutions to fine-tune on."
                )


def _check_size(study: Study, arm: Arm, size: int) -> None:
    """Refuse more problems than a problem set is known to have, before a scoring run."""
    pool = study.arm_dataset(arm.name)
    entry = study.datasets[pool]
    expected = getattr(plugins.load("datasets", entry["source"]), "expected", None)
    n = expected(entry) if expected else None
    if n is not None and size > n:
        cell = f" Or leave this cell out: `leave_out: [{arm.group}]`." if arm.cell else ""
        raise InputError(
            f"{study.where}: arm '{arm.group}': size {size}: '{pool}' has only {n} problems.{cell}"
        )


def _check_template(study: Study, arm: Arm) -> None:
    name = study.config["engine"]["generate"]
    known = validation.choices(validation.options(plugins.load("engines", name)), "template")
    at = f"{study.where}: arm '{arm.group}': template"
    if known is None:
        raise InputError(f"{at}: engine '{name}' has no prompt templates.")
    if arm.template not in known:
        raise InputError(
            f"{at}: there is no '{arm.template}'.{nearest(arm.template or '', filter(None, known))}"
        )


def _check_steps(study: Study) -> None:
    for arm in study.arms.values():
        if arm.train == "none":
            continue
        own = f"arms.{arm.group}.evaluate_steps" if "evaluate_steps" in arm.changes else None
        key, last = own or f"evaluate.{arm.train}_steps", arm.settings["steps"]
        if not arm.steps and arm.start:
            if arm.shown:
                raise InputError(
                    f"{study.where}: '{key}' has no step after {arm.start.step}, where arm "
                    f"'{arm.group}' starts: none of its policies would be evaluated."
                )
        elif not arm.steps:
            raise InputError(f"{study.where}: '{key}' is empty, but there are arms that train.")
        elif arm.steps[-1] > last:
            at = f"arms.{arm.group}.{arm.train}" if arm.train in arm.changes else arm.train
            raise InputError(
                f"{study.where}: '{key}': step {arm.steps[-1]} lies beyond the run's end, "
                f"{at}.steps = {last}."
            )
        if arm.train == "ppo":
            _check_batches(study, arm)


def _check_batches(study: Study, arm: Arm) -> None:
    ppo = arm.settings
    rollouts = ppo["prompts_per_step"] * ppo["samples_per_prompt"]
    if rollouts % ppo["train_batch_size"]:
        at = f"arms.{arm.group}.ppo" if "ppo" in arm.changes else "ppo"
        raise InputError(
            f"{study.where}: {at}.train_batch_size {ppo['train_batch_size']} does not divide "
            f"prompts_per_step x samples_per_prompt = {rollouts}."
        )


def _check_contamination(study: Study) -> None:
    words = study.config["contamination"]["overlapping"]["words"]
    if words not in study.config["contamination"]["words"]:
        raise InputError(
            f"{study.where}: contamination.overlapping.words: {words} is not one of "
            f"contamination.words, {study.config['contamination']['words']}."
        )


def _check_declared(study: Study) -> None:
    groups = list(dict.fromkeys(arm.group for arm in study.arms.values() if arm.shown))
    try:
        preregistration.check(study.config["declared"], groups, list(study.benchmarks))
    except InputError as error:
        raise InputError(f"{study.where}: declared.{error}") from None


def _check_engines(study: Study) -> None:
    """Check that an engine can do what is asked of it; its options were checked by the schema."""
    if not (study.trained or study.benchmarks or study.sampled):
        return
    asked = {
        "train": ["make_base", *(f"train_{k}" for k in ("ppo", "sft") if study.arms_by(k))],
        "generate": ["open_policy"] if study.benchmarks or study.sampled else [],
    }
    for key, functions in asked.items():
        name = study.config["engine"][key]
        try:
            engine = plugins.load("engines", name)
        except InputError as error:
            raise InputError(f"{study.where}: engine.{key}: {error}") from None
        lacking = [function for function in functions if not hasattr(engine, function)]
        if lacking and not hasattr(engine, "PLANNED"):
            raise InputError(f"{study.where}: engine.{key}: '{name}' has no {lacking[0]}.")
        if key == "train" and study.trained and hasattr(engine, "check"):
            try:
                engine.check(study)
            except InputError as error:
                raise InputError(f"{study.where}: {error}") from None


def _check_shown(study: Study) -> None:
    """Refuse a table or figure of what the study never makes, before anything is computed."""
    lacking = {} if study.evaluated else dict.fromkeys(("evaluations", "opinions"), "evaluated")
    lacking |= {} if study.trained else {"metrics": "trained"}
    for kind in ("tables", "figures"):
        for name in study.config[kind]:
            for key in set(lacking).intersection(plugins.load(kind, name).REQUIRES):
                raise InputError(
                    f"{study.where}: {kind}.{name} needs {key}, and no arm of this study is "
                    f"{lacking[key]}. Leave it out, or add an arm or a benchmark "
                    "(arms, evaluate.benchmarks)."
                )


def _check_cycles(study: Study) -> None:
    """Refuse an arm whose problems depend on its own run."""

    def before(arm: Arm) -> list[str]:
        found = []
        if isinstance(arm.cut.get("size"), str):
            found.append(arm.cut["size"])
        if arm.start:
            found.append(arm.start.arm)
        for score in filter(None, (arm.score, study.difficulty(arm.name))):
            source = study.scores[score].get("trajectories")
            if source and study.trajectories[source].get("arm"):
                found.append(study.trajectories[source]["arm"])
        return found

    for start in study.arms.values():
        trail, queue = {start.name}, before(start)
        while queue:
            name = queue.pop()
            if name == start.name:
                raise InputError(
                    f"{study.where}: arm '{start.group}': its problems depend on its own run. "
                    "Score it with curves of another arm."
                )
            if name not in trail:
                trail.add(name)
                queue.extend(before(study.arms[name]))
