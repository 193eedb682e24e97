"""Which problems each step takes."""

from __future__ import annotations

from limr.train.embedded.order import Order


def test_an_epoch_takes_each_problem_once_and_drops_the_rest():
    order = Order(problems=10, size=3, drop_last=True, seed=1, arm="full")
    assert order.steps_per_epoch == 3
    assert [order.epoch(step) for step in range(1, 8)] == [0, 0, 0, 1, 1, 1, 2]
    samples = [index for step in (1, 2, 3) for index in order.batch(step)]
    assert len(samples) == len(set(samples)) == 9


def test_the_rest_can_be_a_smaller_batch():
    order = Order(problems=10, size=4, drop_last=False, seed=1, arm="full")
    batches = [order.batch(step) for step in (1, 2, 3)]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(index for batch in batches for index in batch) == list(range(10))


def test_few_problems_are_one_batch():
    for drop_last in (True, False):
        order = Order(problems=5, size=48, drop_last=drop_last, seed=1, arm="limr")
        assert sorted(order.batch(1)) == list(range(5))
        assert order.epoch(3) == 2


def test_epochs_seeds_and_arms_have_their_own_order():
    def first(seed, arm, step):
        return Order(problems=50, size=50, drop_last=True, seed=seed, arm=arm).batch(step)

    assert first(1, "full", 1) == first(1, "full", 1)
    orders = [first(1, "full", 1), first(1, "full", 2), first(2, "full", 1), first(1, "limr", 1)]
    assert len({tuple(order) for order in orders}) == 4
