"""Samplers: each against a second implementation, what all must keep, policies made for them."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

import documents
from limr.core import plugins, tables, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.train import drawing
from limr.train.embedded.order import Order

PROBLEMS, SIZE, SAMPLES, STEPS = 23, 5, 4, 12
ALL = plugins.names("samplers")
DIFFICULTY = np.linspace(0.0, 1.0, PROBLEMS).round(1)  # with ties


def order(problems=PROBLEMS, size=SIZE, seed=3):
    return Order(problems, size, True, seed, "arm")


def settings(name, **options):
    given = {"difficulty": "level"} if name == "adarft" else {}
    own = validation.options(plugins.load("samplers", name))
    return {"name": name, **validation.complete({**given, **options}, own, name)}


def simulated(name, rate, steps=STEPS, pool=None, **options):
    """A run's draws: problem i is right with the probability `rate(step, i)`; and what was kept."""
    pool = pool or order()
    difficulty = np.linspace(0, 1, pool.problems).round(1)
    run = drawing.Drawing(settings(name, **options), pool, difficulty)
    kept = []
    for step in range(1, steps + 1):
        rng = stream(1, "policy", step)

        def sample(chosen, step=step, rng=rng):
            return [int(rng.binomial(SAMPLES, rate(step, i))) for i in chosen], SAMPLES

        kept.append(run.draw(step, sample))
    return run, kept


def drawn(run):
    return [(d.step, [(g.problem, g.right) for g in d.groups]) for d in run.draws]


def mixed_bag(step, problem):
    """A third is never right, a third always, a third sometimes."""
    return (0.0, 0.5, 1.0)[problem % 3]


# --- what every sampler keeps ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_draw_has_each_problem_once_and_a_step_trains_on_a_whole_batch(name):
    run, kept = simulated(name, mixed_bag)
    for step in range(1, STEPS + 1):
        groups = [g.problem for d in run.draws if d.step == step for g in d.groups]
        assert len(set(groups)) == len(groups)
        assert set(groups) <= set(range(PROBLEMS))
        assert len(kept[step - 1]) == SIZE
        assert set(kept[step - 1]) <= set(range(len(groups)))
    assert drawn(simulated(name, mixed_bag)[0]) == drawn(run)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("first", range(1, STEPS + 1, 3))
def test_a_restart_finds_the_same_choices_from_the_rollouts(name, first):
    whole, kept = simulated(name, mixed_bag)
    again = drawing.Drawing(whole.options, whole.order, DIFFICULTY)
    whole = drawing.Drawing(whole.options, whole.order, DIFFICULTY)
    for step in range(1, STEPS + 1):
        rng = stream(1, "policy", step)

        def sample(chosen, rng=rng, step=step):
            return [int(rng.binomial(SAMPLES, mixed_bag(step, i))) for i in chosen], SAMPLES

        before = len(whole.draws)
        kept = whole.draw(step, sample)
        rows = [(g.problem, g.samples, g.right) for d in whole.draws[before:] for g in d.groups]
        if step < first:
            assert again.draw(step, drawing.recorded(rows)) == kept
        else:  # from here on the restarted run chooses by itself
            view = again._view(step)
            assert list(again.plug_in.choose(view, again.options)) == [
                g.problem for g in whole.draws[before].groups
            ]
            break


def test_rollouts_of_another_sampler_are_refused():
    run = drawing.Drawing(None, order())
    with pytest.raises(InputError, match="not those that the sampler draws"):
        run.draw(1, drawing.recorded([(i, 4, 1) for i in range(SIZE)]))


def test_another_seed_and_another_arm_draw_others():
    for name in set(ALL) - {"uniform", "dapo"}:
        first = simulated(name, mixed_bag, 3)[0]
        assert drawn(simulated(name, mixed_bag, 3, order(seed=4))[0]) != drawn(first)


def test_uniform_is_the_plain_order():
    run, kept = simulated("uniform", mixed_bag)
    plain = drawing.Drawing(None, order())
    for step in range(1, STEPS + 1):
        assert [g.problem for g in run.draws[step - 1].groups] == order().batch(step)
        assert plain.draw(step, lambda chosen: ([0] * len(chosen), SAMPLES)) == kept[step - 1]
        assert [g.problem for g in plain.draws[-1].groups] == order().batch(step)


# --- second implementations -----------------------------------------------------------------------


def smallest(distance, step, seed=3):
    lots = stream(seed, "sampler", "arm", step, "ties").random(len(distance))
    return sorted(range(len(distance)), key=lambda i: (distance[i], lots[i]))[:SIZE]


@pytest.mark.parametrize(("decay", "prior", "target"), [(0.5, 1.0, 0.5), (0.9, 2.0, 0.3)])
def test_mopps_by_a_dictionary_of_counts(decay, prior, target):
    run, _ = simulated("mopps", mixed_bag, decay=decay, prior=prior, target=target)
    a, b = [prior] * PROBLEMS, [prior] * PROBLEMS
    for draw in run.draws:
        rates = stream(3, "sampler", "arm", draw.step, "rates").beta(a, b)
        assert [g.problem for g in draw.groups] == smallest(abs(rates - target), draw.step)
        for g in draw.groups:
            a[g.problem] = decay * a[g.problem] + (1 - decay) * prior + g.right
            b[g.problem] = decay * b[g.problem] + (1 - decay) * prior + SAMPLES - g.right


@pytest.mark.parametrize(("decay", "prior"), [(0.5, 1.0), (1.0, 0.7)])
def test_dps_by_a_chain_of_each_problem(decay, prior):
    run, _ = simulated("dps", mixed_bag, decay=decay, prior=prior)
    counts = [np.full((3, 3), prior) for _ in range(PROBLEMS)]  # to, from
    belief = [np.full(3, 1 / 3) for _ in range(PROBLEMS)]
    last = [np.full(3, 1 / 3) for _ in range(PROBLEMS)]
    for draw in run.draws:
        mixed = [one[1] for one in belief]
        chosen = [g.problem for g in draw.groups]
        least = min(mixed[i] for i in chosen)
        # Rounding decides nearly equal ones here otherwise than there.
        assert all(mixed[i] <= least + 1e-9 for i in range(PROBLEMS) if i not in chosen)
        right = {g.problem: g.right for g in draw.groups}
        for i in range(PROBLEMS):
            chances = counts[i] / counts[i].sum(axis=0, keepdims=True)
            now, taken = belief[i], np.zeros((3, 3))
            if i in right:
                now = np.eye(3)[0 if right[i] == 0 else 2 if right[i] == SAMPLES else 1]
                taken = np.outer(now, last[i]) * chances
                taken /= taken.sum()
            counts[i] = decay * counts[i] + (1 - decay) * prior + taken
            belief[i] = (counts[i] / counts[i].sum(axis=0, keepdims=True)) @ now
            last[i] = now


def test_adarft_by_a_moving_target():
    run, _ = simulated("adarft", lambda step, i: 0.9 - 0.6 * i / PROBLEMS, start=0.3, step=0.2)
    target = 0.3
    difficulty = np.linspace(0, 1, PROBLEMS).round(1)
    for draw in run.draws:
        assert [g.problem for g in draw.groups] == smallest(abs(difficulty - target), draw.step)
        share = sum(g.right for g in draw.groups) / (SIZE * SAMPLES)
        target = float(np.clip(target + 0.2 * math.tanh(2 * (share - 0.5)), 0, 1))
    assert target > 0.3


@pytest.mark.parametrize("tries", [1, 2, 4])
@pytest.mark.parametrize(("problems", "size"), [(23, 5), (7, 5), (5, 5), (6, 3)])
def test_dapo_by_walking_the_batches(tries, problems, size):
    pool = order(problems, size)
    run, kept = simulated("dapo", mixed_bag, pool=pool, tries=tries)
    batch, draws = 0, iter(run.draws)
    for step in range(1, STEPS + 1):
        there, tried = [], 0
        while True:
            batch, tried = batch + 1, tried + 1
            draw = next(draws)
            already = [g.problem for g in there]
            assert draw.step == step
            assert [g.problem for g in draw.groups] == [
                i for i in pool.batch(batch) if i not in already
            ]
            there += draw.groups
            good = [n for n, g in enumerate(there) if 0 < g.right < SAMPLES]
            if len(good) >= size or tried == tries or len(there) == problems:
                break
        bad = [n for n in range(len(there)) if n not in good]
        assert kept[step - 1] == sorted((good[:size] + bad)[: min(size, problems)])
        assert run.counted(step)["tries"] == tried if step == STEPS else True
    assert next(draws, None) is None


# --- policies made for them -----------------------------------------------------------------------


def signal(run, kept):
    """The share of the groups trained on that have a signal, after the first pass."""
    found = []
    for step, places in enumerate(kept, start=1):
        groups = [g for d in run.draws if d.step == step for g in d.groups]
        found += [groups[n].mixed for n in places] if step > PROBLEMS // SIZE else []
    return sum(found) / len(found)


def test_where_few_problems_have_a_signal_the_predictive_samplers_find_them():
    def rate(step, problem):
        return 0.5 if problem % 3 == 1 else float(problem % 2)

    steps = 60
    uniform = signal(*simulated("uniform", rate, steps))
    assert uniform < 0.4
    for name in ("mopps", "dps"):
        run, kept = simulated(name, rate, steps)
        assert signal(run, kept) > 1.8 * uniform, name
        assert all(len(draw.groups) == SIZE for draw in run.draws)  # at the price of uniform
    run, kept = simulated("dapo", rate, steps)
    assert signal(run, kept) > 0.9
    rollouts = sum(g.samples for d in run.draws for g in d.groups)
    assert rollouts > 2 * steps * SIZE * SAMPLES  # and this is its price


def learnt(name, steps=80):
    """The skill of a policy that learns from groups with a signal alone, easy problems first."""
    pool = order(60, 6)
    difficulty = np.linspace(0, 1, 60)
    run, skill = drawing.Drawing(settings(name), pool, difficulty), 0.0
    for step in range(1, steps + 1):
        rng = stream(2, "learner", step)

        def sample(chosen, rng=rng, skill=skill):
            rate = 1 / (1 + np.exp(25 * (difficulty[list(chosen)] - skill)))
            return list(rng.binomial(8, rate)), 8

        kept = run.draw(step, sample)
        groups = [g for d in run.draws if d.step == step for g in d.groups]
        skill += 0.002 * sum(groups[n].mixed for n in kept)
    return skill


def test_where_only_the_frontier_teaches_the_curriculum_gets_furthest_at_equal_rollouts():
    uniform = learnt("uniform")
    for name in ("adarft", "mopps", "dps"):
        assert learnt(name) > 1.3 * uniform, name


# --- what is refused ------------------------------------------------------------------------------


def problem(name, level):
    return tables.Problem(name, "1+1", "2", "test", level)


def test_difficulties_are_brought_to_0_to_1_and_must_be_there():
    asked = settings("adarft")
    found = drawing.difficulties(
        asked, [problem("a", 2), problem("b", 6), problem("c", 3)], None, ""
    )
    assert found.tolist() == [0.0, 1.0, 0.25]
    with pytest.raises(InputError, match=r"arm 'x': .*level: 1 of 2 problems have none, such as b"):
        drawing.difficulties(asked, [problem("a", 2), problem("b", None)], None, "arm 'x'")
    with pytest.raises(InputError, match="all problems have 2: there is nothing to choose by"):
        drawing.difficulties(asked, [problem("a", 2), problem("b", 2)], None, "")
    assert drawing.difficulties(settings("mopps"), [problem("a", None)], None, "") is None


def test_a_pool_smaller_than_a_batch_is_refused_where_there_is_a_choice():
    with pytest.raises(
        InputError, match=r"'mopps' chooses 5 problems a step .*, and the arm has 4"
    ):
        drawing.check_pool(settings("mopps"), 4, 5, "arm 'x'")
    drawing.check_pool(settings("uniform"), 4, 5, "arm 'x'")
    drawing.check_pool(None, 4, 5, "arm 'x'")


def test_the_pages_own_sampler_draws_what_is_hardest(root, tmp_path, monkeypatch):
    page = root / "docs/samplers.md"
    [block] = [one for one in documents.blocks(page) if (one.file or "").endswith("hardest.py")]
    (tmp_path / "hardest.py").write_text(block.text)
    monkeypatch.syspath_prepend(tmp_path)
    written = importlib.import_module("hardest")
    groups = [drawing.Group(place, 4, place % 4) for place in range(20)]
    view = drawing.View(2, order(), [drawing.Draw(1, groups)])
    chosen = written.choose(view, validation.complete({}, written.Options, "hardest"))
    assert sorted(chosen) == [0, 4, 8, 12, 16]
