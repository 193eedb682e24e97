"""Figures: their data, that they draw, and that the same data give the same bytes."""

import dataclasses
import itertools
import subprocess
import sys

import matplotlib.text
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import synthetic_study
from limr.analysis.results import Inputs
from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.core.tables import TRAJECTORIES
from limr.report import inline_svg, make
from limr.report.figures import _style

NAMES = plugins.names("figures")
OUTPUTS = {"pdf": "f.pdf", "png": "f.png", "svg": "f.svg", "tsv": "f.tsv", "caption": "f.txt"}


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


def data(name, inputs, **options):
    module = plugins.load("figures", name)
    settings = validation.complete(options, validation.options(module), name)
    return module, module.data(inputs, settings), settings


def draw(name, inputs, folder):
    folder.mkdir(exist_ok=True)
    make.draw_figure(name, inputs, {}, {key: folder / file for key, file in OUTPUTS.items()})
    return {key: (folder / file).read_bytes() for key, file in OUTPUTS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_comes_with_data_and_caption(name, inputs, tmp_path):
    found = draw(name, inputs, tmp_path / "a")
    assert found["png"].startswith(b"\x89PNG")
    assert found["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in found["pdf"]
    assert inline_svg.inline(tmp_path / "a/f.svg", name)
    assert found["caption"].decode().startswith(plugins.load("figures", name).TITLE + ". ")
    assert len(pd.read_csv(tmp_path / "a" / "f.tsv", sep="\t")) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "scores", "uncertainty"])
def test_the_same_data_give_the_same_bytes(name, inputs, tmp_path):
    assert draw(name, inputs, tmp_path / "a") == draw(name, inputs, tmp_path / "b")


@pytest.mark.slow
def test_a_figure_is_a_function_of_its_data_alone(inputs, tmp_path):
    module, frame, settings = data("accuracy", inputs)
    frame.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    again = pd.read_csv(tmp_path / "x.tsv", sep="\t")
    pixels = []
    for table in (frame, again):
        with _style.applied():
            _style.save(module.draw(table, settings), {"png": tmp_path / "x.png"})
        pixels.append((tmp_path / "x.png").read_bytes())
    assert pixels[0] == pixels[1]


def test_accuracy_is_the_mean_over_benchmarks_at_each_step(inputs):
    _, frame, _ = data("accuracy", inputs)
    row = frame[(frame["arm"] == "full") & (frame["seed"] == 1) & (frame["step"] == 48)]
    row = row[row["panel"] == "greedy"].iloc[0]
    e = inputs.evaluations
    part = e[(e["arm"] == "full") & (e["seed"] == 1) & (e["step"] == 48)]
    part = part[part["decoding"] == "greedy"]
    means = [100 * g["n_correct"].sum() / g["n"].sum() for _, g in part.groupby("benchmark")]
    assert row["accuracy"] == pytest.approx(sum(means) / 3)
    assert row["questions"] == 330


def test_lines_start_at_the_base_policy(inputs):
    _, frame, _ = data("accuracy", inputs)
    base = frame[(frame["group"] == "base") & (frame["panel"] == "sampled")]["accuracy"].mean()
    start = frame[(frame["group"] == "rand") & (frame["panel"] == "sampled") & (frame["step"] == 0)]
    assert len(start) == 4  # 2 draws x 2 seeds
    assert set(start["accuracy"]) == {base}


def test_benchmarks_without_a_common_decoding_share_one_panel(inputs):
    e = inputs.evaluations
    kept = e[(e["decoding"] == "greedy") == (e["benchmark"] == "hard")]
    _, frame, _ = data("accuracy", dataclasses.replace(inputs, evaluations=kept))
    assert list(frame["panel"].unique()) == ["headline decoding"]
    assert set(frame["benchmarks"].dropna()) == {3}


def test_one_colour_an_arm_in_every_figure(inputs):
    seen = {}
    for name in ("accuracy", "benchmarks", "reward", "response-length"):
        _, frame, _ = data(name, inputs)
        for group, colour in zip(frame["group"], frame["colour"], strict=True):
            assert seen.setdefault(group, colour) == colour
    assert len(set(seen.values())) == len(seen) == 6


def test_window_averages_over_past_steps(inputs):
    _, raw, _ = data("reward", inputs)
    _, smooth, _ = data("reward", inputs, window=3)
    one = raw[raw["run"] == "full seed 1"].set_index("step")["mean_reward"]
    two = smooth[smooth["run"] == "full seed 1"].set_index("step")["mean_reward"]
    assert two[1] == pytest.approx(one[1])
    assert two[5] == pytest.approx((one[3] + one[4] + one[5]) / 3)


def test_runs_without_a_reward_are_left_out(inputs):
    _, frame, _ = data("reward", inputs)
    assert set(frame["group"]) == {"full", "limr", "rand", "linear"}


def test_examples_run_from_the_best_score_to_the_worst(inputs):
    _, frame, _ = data("learning-curves", inputs)
    examples = frame[frame["role"] == "example"].drop_duplicates("problem_id")
    scores = inputs.scores["lim"]["score"]
    assert list(examples["score"]) == sorted(examples["score"], reverse=True)
    assert examples["score"].iloc[0] == scores.max()
    assert examples["score"].iloc[-1] == scores.min()
    assert frame["epoch"].min() == 1


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 4, 5, 6])
def test_of_few_problems_each_is_an_example_once(inputs, tmp_path, n):
    few = inputs.scores["lim"].iloc[:n]
    curves = inputs.trajectories["full"].to_pandas()
    curves = curves[curves["problem_id"].isin(few["problem_id"])]
    table = pa.Table.from_pandas(curves, TRAJECTORIES, preserve_index=False)
    bare = dataclasses.replace(inputs, scores={"lim": few}, trajectories={"full": table})
    _, frame, _ = data("learning-curves", bare)
    examples = frame[frame["role"] == "example"]
    assert examples["problem_id"].nunique() == n
    assert not examples.duplicated(["problem_id", "epoch"]).any()
    draw("learning-curves", bare, tmp_path / "a")


def test_scores_by_how_problems_fared(inputs):
    module, frame, _ = data("scores", inputs)
    never = frame[frame["solved"] == "never"]
    assert never["score"].nunique() == 1
    assert set(frame["threshold"]) == {0.8}
    text = module.caption(frame)
    assert f"of the {len(never)} never-solved problems reach the cut" in text
    assert f"of {len(frame)} problems" in text


@pytest.mark.slow
def test_published_scores_without_curves_are_drawn(inputs, tmp_path):
    record = {**inputs.subsets["limr"], "trajectories": "published"}
    study = {**inputs.study, "benchmarks": []}
    bare = Inputs(study, scores=inputs.scores, subsets={"limr": record})
    draw("scores", bare, tmp_path / "a")
    with pytest.raises(InputError, match="'lim' has no learning curves"):
        draw("learning-curves", bare, tmp_path / "b")


@pytest.mark.slow
def test_small_studies_draw(inputs, tmp_path):
    e, m = inputs.evaluations, inputs.metrics
    one = dataclasses.replace(
        inputs,
        evaluations=e[(e["group"] == "full") & (e["seed"] == 1) & (e["step"] == 48)],
        metrics=m[(m["arm"] == "full") & (m["seed"] == 1) & (m["step"] == 1)],
        trajectories={**inputs.trajectories, "full": synthetic_study.trajectories(epochs=2)},
    )
    for name in NAMES:
        # What was not recorded of some steps is not known at a later one.
        whole = dataclasses.replace(one, metrics=m[(m["arm"] == "full") & (m["seed"] == 1)])
        counted = dataclasses.replace(one, metrics=m[(m["arm"] == "linear") & (m["step"] == 1)])
        two = dataclasses.replace(one, evaluations=e[(e["seed"] == 1) & (e["step"] == 48)])
        small = {"accuracy-by-cost": whole, "without-signal": counted, "map": two}
        if name == "map-surface":  # over four cells or more
            continue
        draw(name, small.get(name, one), tmp_path / name)


def test_agreement_is_a_matrix_with_two_halves(inputs):
    module, frame, _ = data("agreement", inputs)
    assert len(frame) == 25
    wide = frame.pivot(index="row", columns="column", values="kind")
    for row in range(5):
        for column in range(5):
            kind = "self" if row == column else "overlap" if row > column else "Spearman"
            assert wide.loc[row, column] == kind
    assert frame.loc[frame["kind"] == "self", "value"].isna().all()
    assert frame.loc[frame["kind"] == "overlap", "value"].between(0, 1).all()
    text = module.caption(frame)
    assert "over the 384 problems" in text
    assert "the 176 best by one score" in text
    assert "share 0.46 by chance" in text


@pytest.mark.slow
def test_agreement_draws_one_score_negative_and_undefined(inputs, tmp_path):
    lim, constant = inputs.scores["lim"], inputs.scores["all"]
    scores = {"lim": lim, "bottom": lim.assign(score=-lim["score"]), "all": constant}
    few = dataclasses.replace(inputs, scores=scores)
    draw("agreement", few, tmp_path / "a")
    outputs = {key: tmp_path / file for key, file in OUTPUTS.items()}
    make.draw_figure("agreement", few, {"scores": ["lim", "all", "bottom"]}, outputs)
    values = pd.read_csv(outputs["tsv"], sep="\t").set_index(["score", "other"])["value"]
    assert values["lim", "bottom"] == -1
    assert pd.isna(values["lim", "all"])  # a constant score has no ranks
    make.draw_figure("agreement", few, {"scores": ["lim"]}, outputs)
    assert "one score only" in outputs["caption"].read_text()


def test_a_score_has_the_colour_of_its_arm(inputs):
    arms, scores = _style.colours(inputs), _style.score_colours(inputs)
    assert scores["lim"] == arms["limr"]
    assert scores["linear"] == arms["linear"]
    assert len(set(scores.values())) == len(scores) == 5
    for name, column in (("agreement", "score"), ("stability", "score")):
        _, frame, _ = data(name, inputs)
        seen = dict(zip(frame[column], frame["colour"], strict=True))
        assert seen == scores


def test_stability_is_the_diagnosis(inputs):
    module, frame, _ = data("stability", inputs)
    assert len(frame) == 5 * 6
    lim = frame[frame["score"] == "lim"].drop(columns=["score", "colour"])
    pd.testing.assert_frame_equal(lim, inputs.diagnostics["lim"].epochs)
    text = module.caption(frame)
    assert "all 6, over up to 384 problems" in text
    assert "Wilson's 95 % interval" in text
    assert "does not cover other samples" in text


def test_uncertainty_shows_few_problems_and_all_scores(inputs):
    module, frame, _ = data("uncertainty", inputs, intervals=50)
    problems = frame[frame["role"] == "problem"]
    assert len(problems) == 50
    assert set(problems["score_name"]) == {"lim"}
    assert problems["score"].is_monotonic_decreasing
    assert problems["rank"].iloc[[0, -1]].tolist() == [1, 384]
    assert (problems["selected"].astype(bool) == (problems["rank"] <= 176)).all()
    curves = frame[frame["role"] == "curve"]
    assert set(curves["score_name"]) == set(inputs.diagnostics)
    assert curves["probability"].between(0, 1).all()
    text = module.caption(frame)
    assert "drawn again 100 times" in text
    assert "50 of the 384 problems" in text
    _, frame, _ = data("uncertainty", inputs, score="variance", scores=["variance"])
    assert set(frame["score_name"]) == {"variance"}


def test_offline_bins_hold_what_was_joined(inputs):
    module, frame, _ = data("offline-pass-rates", inputs)
    assert frame["n"].sum() == set(frame["joined"]).pop() == 256
    assert frame["n_selected"].sum() == frame["selected"].iloc[0]
    assert (frame["share_low"] <= frame["share_selected"]).all()
    assert (frame["share_selected"] <= frame["share_high"]).all()
    assert frame["bin"].iloc[[0, -1]].tolist() == ["0", "1"]
    text = module.caption(frame)
    assert "The 256 problems with a score 'lim' and a pass rate in 'offline'" in text
    assert "128 samples" in text


@pytest.mark.slow
def test_diagnostics_of_one_epoch_draw(tmp_path):
    curves = synthetic_study.trajectories()
    one = synthetic_study.inputs(curves.filter(pc.equal(curves["epoch"], 0)))
    for name in ("agreement", "stability", "uncertainty"):
        draw(name, one, tmp_path / name)
    assert "one epoch only" in (tmp_path / "stability" / "f.txt").read_text()


def test_what_a_study_lacks_is_said(inputs, tmp_path):
    bare = Inputs(inputs.study)
    with pytest.raises(InputError, match="figure 'accuracy' needs evaluations"):
        draw("accuracy", bare, tmp_path)
    with pytest.raises(InputError, match="figure 'reward' needs metrics"):
        draw("reward", bare, tmp_path)
    with pytest.raises(InputError, match="no subset"):
        draw("scores", bare, tmp_path)
    with pytest.raises(InputError, match=r"figure 'stability': no score .* no samples to redraw"):
        draw("stability", bare, tmp_path)


def test_an_unknown_option_names_the_nearest(inputs, tmp_path):
    outputs = {key: tmp_path / file for key, file in OUTPUTS.items()}
    with pytest.raises(InputError, match="Did you mean 'window'"):
        make.draw_figure("reward", inputs, {"windw": 3}, outputs)


@pytest.mark.parametrize("places", [[0.5, 0.5, 0.5], [0.0, 0.01, 0.9], [0.99, 0.995, 1.0], []])
def test_labels_are_moved_apart_within_the_axis(places):
    moved = _style._apart(places, 0.06)
    gaps = [b - a for a, b in itertools.pairwise(moved)]
    assert all(gap >= 0.06 - 1e-6 for gap in gaps)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in moved)


@pytest.mark.slow
def test_whoever_only_plans_a_study_does_not_wait_for_what_draws():
    load = "[plugins.load(k, n) for k in ('tables', 'figures') for n in plugins.names(k)]"
    heavy = "sorted({'matplotlib', 'scipy', 'seaborn'} & sys.modules.keys())"
    code = f"import sys; from limr.core import plugins; {load}; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_enough_marks_what_the_study_has_and_promises_more_from_more(inputs):
    module, frame, _ = data("enough", inputs, scores=["lim", "linear"], draws=3)
    assert set(frame["score"]) == {"lim", "linear"}
    here = frame[frame["recorded"]]
    assert here["samples"].tolist() == [8, 8]
    assert here["epochs"].tolist() == [6, 6]
    assert (frame["rollouts"] == frame["samples"] * frame["epochs"]).all()
    lim = frame[(frame["score"] == "lim") & (frame["epochs"] == 6)].set_index("samples")["truth"]
    assert lim[32] > lim[8] > lim[2]
    text = module.caption(frame)
    assert "unlimited samples in all 6 epochs" in text
    with pytest.raises(InputError, match="figure 'enough': no subset is cut from a score"):
        data("enough", dataclasses.replace(inputs, trajectories={}), scores=["lim"])


def test_scores_outside_of_their_interval_are_hollow_and_explained():
    module = plugins.load("figures", "uncertainty")
    problem = {"role": "problem", "score": 0.5, "low": 0.4, "high": 0.6, "score_name": "lim"}
    frame = pd.DataFrame([problem, {**problem, "score": 0.7}, {**problem, "low": None}])
    assert list(module.is_outside(frame)) == [False, True, False]
    told = module.caption(frame.assign(draws=9, n=3, level=0.95))
    assert "Hollow: scores outside of their interval (1 here). That is no contradiction" in told
    assert "Hollow" not in module.caption(frame.iloc[:1].assign(draws=9, n=3, level=0.95))


@pytest.mark.slow
def test_for_a_paper_a_figure_is_as_wide_as_its_page_and_can_be_read(inputs, tmp_path):
    from PIL import Image

    outputs = {key: tmp_path / file for key, file in OUTPUTS.items()}
    make.draw_figure("learning-curves", inputs, {}, outputs, "paper")
    with Image.open(outputs["png"]) as picture:
        assert picture.width == 300 * _style.PAGE
    with _style.applied():
        module, frame, settings = data("one-benchmark", inputs, benchmark="easy")
        drawn = module.draw(frame, settings)
        _style.fit_for_paper(drawn)
        assert drawn.get_size_inches()[0] == _style.COLUMN
        sizes = [text.get_fontsize() for text in drawn.findobj(matplotlib.text.Text)]
        assert min(sizes) >= 7
