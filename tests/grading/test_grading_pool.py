"""The pool: limits, order, deaths, threads, and the same verdicts as without one."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from limr.core.errors import InputError
from limr.grading.grade import Grader
from limr.grading.pool import GradingPool
from limr.grading.screen import is_bounded

LONG = 120.0  # a limit that is never reached, however busy the machine
ENDLESS = ("sleep", "spin", "deaf")  # answers that reach any limit
HOSTILE = Path(__file__).with_name("hostile_worker.py")
PAIRS = [
    ("3\\sqrt{13}", "\\sqrt{117}", "correct"),
    ("3\\sqrt{13}", "\\sqrt{118}", "incorrect"),
    ("5", "5.0", "correct"),
    ("x^2+2x+1", "(x+1)^2", "correct"),
    ("x^2+2x+1", "(x+2)^2", "incorrect"),
    ("", "5", "incorrect"),
    ("\\text{even}", "even", "correct"),
    ("5", "3+4", "incorrect"),
]
ITEMS = [(gold, f"so \\boxed{{{answer}}}", False) for gold, answer, _ in PAIRS]
VERDICTS = [verdict for _, _, verdict in PAIRS]


class HostilePool(GradingPool):
    command = (sys.executable, "-P", str(HOSTILE))


class ImpatientPool(HostilePool):
    """A pool whose limit is short for what never ends, and for nothing else."""

    def _give_out(self):
        super()._give_out()
        for one in self._workers:
            if one.pair and one.pair[1] in ENDLESS:
                one.deadline = min(one.deadline, time.monotonic() + 0.5)


class KilledPool(GradingPool):
    """A pool whose workers are killed from outside, each as it was given one of these answers."""

    killing = ("(x-1)(x+1)", "(x-1)(x+20)", "(x-1)(x+40)")

    def _give_out(self):
        super()._give_out()
        for one in self._workers:
            if one.pair and one.pair[1] in self.killing:
                self.killing = [answer for answer in self.killing if answer != one.pair[1]]
                one.process.kill()


def box(*answers, gold="gold"):
    return [(gold, f"\\boxed{{{answer}}}", False) for answer in answers]


def pids(pool):
    return [one.process.pid for one in pool._workers]


def is_gone(pid):
    """Wait for a process to end; a zombie that nobody has reaped yet counts."""
    for _ in range(3_000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def pool():
    with GradingPool(workers=2, seconds=LONG) as one:
        yield one


@pytest.mark.slow
def test_grades_are_those_of_the_grader_and_in_order(pool):
    grader = Grader()
    items = [*ITEMS, ("2,3", "\\boxed{2} and \\boxed{3}", False), ("2,3", "no box", False)]
    items += [
        ("5", "\\boxed{5}", True),
        ("\\sqrt{2}, \\pi", "\\boxed{\\pi}, \\boxed{2^{0.5}}", False),
    ]
    expected = [grader.grade(gold, text, truncated=cut) for gold, text, cut in items]
    assert pool.grade_many(items) == expected
    assert pool.grade_many(items[::-1]) == expected[::-1]
    assert [grade.verdict for grade in expected[: len(PAIRS)]] == VERDICTS


@pytest.mark.slow
def test_an_empty_batch_and_a_batch_after_closing():
    with GradingPool(workers=1, seconds=LONG) as one:
        assert one.grade_many([]) == []
        first = one.grade_many(ITEMS)
    assert pids(one) == []
    assert one.grade_many(ITEMS) == first  # it remembers
    assert one.grade_many([("\\sqrt{8}", "\\boxed{2\\sqrt{2}}", False)])[0].verdict == "correct"
    one.close()


def test_settings_reach_the_grader():
    many = "\\boxed{\\sqrt{4}}" * 6
    loose = {"max_boxes": None, "repetition": False}
    with GradingPool(loose, workers=1, seconds=LONG) as free:
        assert free.grade_many([("\\sqrt{4}", many, False)])[0].verdict == "correct"
    assert GradingPool().grade_many([("2", many, False)])[0].format == "too-many-boxes"
    with GradingPool({"preset": "paper"}, workers=1, seconds=LONG) as paper:
        found = paper.grade_many(box("3", "4", gold="3\\sqrt{13}") + box("5", gold="5"))
    assert [grade.verdict for grade in found] == ["correct", "incorrect", "correct"]


def test_numbers_start_no_process():
    one = HostilePool(workers=2)
    golds = ("5", "5/6", "-0.5", "\\frac{1}{2}")
    answers = ["5", "5.0", "x=5", "10/2", "2+3", "5x", "(", "1(2", ")", "", "=", "?", "5,5", "-"]
    answers += ["5=5", "x=2+3", "5:", "5=2+3=x", "^", "5^", "\\frac{5}{6}"]
    items = [item for gold in golds for item in box(*answers, gold=gold)]
    assert {grade.verdict for grade in one.grade_many(items)} == {"correct", "incorrect"}
    assert pids(one) == []


def test_what_counts_as_bounded_is_judged_in_the_caller(mirror_pairs):
    grader = Grader()
    bounded = [pair for pair in mirror_pairs if is_bounded(*pair)]
    assert len(bounded) > 1000
    for gold, answer in bounded:
        grader.is_equal(gold, answer)


@pytest.fixture
def mirror_pairs(mirror):
    import json

    folder = mirror / "grading"
    names = ("real_pairs", "pairs", "mutants", "gold_variants")
    rows = (
        json.loads(line)
        for name in names
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    )
    return [(row["gold"], row["pred"]) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("answer", ENDLESS)
def test_a_worker_over_the_time_limit_is_killed(answer):
    with ImpatientPool(workers=1, seconds=LONG) as one:
        one.grade_many(box("warm up"))
        (victim,) = pids(one)
        found = one.grade_many(box(answer, "gold", answer, "other"))
        assert [grade.reason for grade in found] == ["timed-out", "", "timed-out", "different"]
        assert [grade.verdict for grade in found] == ["incorrect", "correct"] + ["incorrect"] * 2
        assert found[0].answer == answer
        assert victim not in pids(one)
        assert is_gone(victim)
        workers = pids(one)
        assert one.grade_many(box(answer)) == found[:1]
        assert pids(one) == workers  # remembered: not tried again


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["eat", "eat and hide it"])
def test_a_worker_over_the_memory_limit_is_no_danger(answer):
    with HostilePool(workers=1, seconds=LONG, memory_mb=300) as one:
        found = one.grade_many(box(answer, "gold"))
        assert [grade.reason for grade in found] == ["out-of-memory", ""]
        assert [grade.verdict for grade in found] == ["incorrect", "correct"]


@pytest.mark.slow
def test_a_pair_that_kills_its_worker_is_tried_twice_then_wrong(tmp_path):
    with HostilePool(workers=2, seconds=LONG) as one:
        found = one.grade_many(box("die", "gold", f"die once {tmp_path / 'mark'}", "other"))
    assert [grade.reason for grade in found] == ["crashed", "", "", "different"]
    assert [grade.verdict for grade in found] == ["incorrect", "correct", "correct", "incorrect"]


def test_an_error_or_a_printing_library_changes_nothing():
    with HostilePool(workers=1, seconds=LONG) as one:
        found = one.grade_many(box("raise", "print", "gold"))
    assert [grade.reason for grade in found] == [
        "error: ZeroDivisionError:",
        "different",
        "",
    ]
    assert [grade.verdict for grade in found] == ["incorrect", "incorrect", "correct"]


@pytest.mark.slow
def test_a_worker_killed_from_outside_changes_no_verdict():
    with KilledPool(workers=2, seconds=LONG) as one:
        found = one.grade_many(box(*[f"(x-1)(x+{n})" for n in range(1, 60)], gold="x^2-1"))
        assert list(one.killing) == []
    wrong = [n for n, grade in enumerate(found) if (grade.verdict == "correct") != (n == 0)]
    assert wrong == []


@pytest.mark.slow
def test_idle_workers_killed_from_outside_are_replaced(pool):
    pool.grade_many([("\\sqrt{2}", "\\boxed{\\sqrt{3}}", False)])
    for pid in pids(pool):
        os.kill(pid, signal.SIGKILL)
        assert is_gone(pid)
    for n in range(3, 6):
        found = pool.grade_many([(f"\\sqrt{{{n * n}}}x", f"\\boxed{{{n}x}}", False)])
        assert found[0].verdict == "correct"


def test_duplicates_are_judged_once(tmp_path):
    mark = tmp_path / "judged"
    with HostilePool(workers=2, seconds=LONG) as one:
        items = [("gold", f"{n} \\boxed{{count {mark}}}", False) for n in range(500)]
        assert {grade.verdict for grade in one.grade_many(items)} == {"correct"}
        one.grade_many(items)
    assert len(mark.read_text().splitlines()) == 1


@pytest.mark.slow
def test_a_large_batch():
    answers = [f"x+{n}" for n in range(16)]
    items = [
        (f"{n % 16}+x", f"{n} \\boxed{{{answers[n % 7]}}}", False) if n % 2 else ITEMS[2]
        for n in range(8_192)
    ]
    seen = []
    with GradingPool(workers=2, seconds=LONG) as one:
        found = one.grade_many(items, done=seen.append)
    assert sum(seen) == len(found) == 8_192
    expected = ["correct" if not n % 2 or n % 7 == n % 16 else "incorrect" for n in range(8_192)]
    assert [grade.verdict for grade in found] == expected


def test_several_threads_at_once(pool):
    found = {}

    def grade(number):
        own = [(f"y+{number}", f"\\boxed{{{number}+y}}", False), *ITEMS]
        found[number] = [grade.verdict for grade in pool.grade_many(own)]

    threads = [threading.Thread(target=grade, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ["correct", *VERDICTS] for number in range(6)}


@pytest.mark.slow
@pytest.mark.parametrize("lock", ["free", "busy"])
def test_a_fork_has_workers_of_its_own(lock):
    script = Path(__file__).with_name("fork_case.py")
    done = subprocess.run(
        [sys.executable, str(script), lock],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["0", "0", "0"], "")


@pytest.mark.parametrize(
    ("option", "message"),
    [("--broken", "cannot start: .*math_verify"), ("--dead", "end at their start .exit code 7")],
)
def test_workers_that_cannot_start_are_an_error_not_wrong_answers(option, message):
    one = GradingPool({"preset": "math-verify"}, workers=1)
    one.command = (sys.executable, "-P", str(HOSTILE), option)
    with one, pytest.raises(InputError, match=message):
        one.grade_many(box("5x", gold="x"))


def test_too_little_memory_to_start_is_an_error():
    with GradingPool(workers=1, memory_mb=20) as one, pytest.raises(InputError, match="MB"):
        one.grade_many(box("5x", gold="x"))


PARENT = """
import sys, threading, time
sys.path.insert(0, {folder!r})
from test_grading_pool import HostilePool, box, pids
pool = HostilePool(workers=2, seconds=600)
pool.grade_many(box("gold", "other"))
asking = threading.Thread(target=pool.grade_many, args=(box({answer!r}, "x"),), daemon=True)
asking.start()
# Until a worker is at it, or has already done it.
while asking.is_alive() and not any(
    one.pair and one.pair[1] == {answer!r} for one in list(pool._workers)
):
    time.sleep(0.05)
print(*pids(pool), flush=True)
{end}
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["sys.exit()", "time.sleep(600)"])
def test_workers_end_with_their_parent(end):
    code = PARENT.format(folder=str(HOSTILE.parent), answer="gold 2", end=end)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert workers
    if "sleep" in end:
        parent.kill()
    parent.wait()
    parent.stdout.close()
    assert all(is_gone(pid) for pid in workers)


@pytest.mark.slow
def test_a_busy_worker_without_a_parent_is_ended_by_the_kernel():
    code = PARENT.format(folder=str(HOSTILE.parent), answer="spin", end="time.sleep(600)")
    # The worker has its limit by its first line; the parent itself would wait.
    code = code.replace("seconds=600)", "seconds=0.5)\npool._seconds = 600")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert workers
    assert all(is_gone(pid) for pid in workers)
