"""A grading worker for which some answers are what a test needs: slow, greedy or deadly."""

import os
import signal
import sys
import time
from pathlib import Path

from limr.grading import worker
from limr.grading.grade import Grader


def is_equal(self, gold, answer, prompt=None):  # noqa: PLR0912 - one branch a kind of hostility
    if answer == "sleep":
        time.sleep(3600)
    elif answer == "spin":
        while True:
            pass
    elif answer == "deaf":  # to every signal that can be ignored
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(3600)
    elif answer == "eat":
        return len([bytearray(1 << 20) for _ in range(1 << 20)]) == 0
    elif answer == "eat and hide it":
        try:
            [bytearray(1 << 20) for _ in range(1 << 20)]
        except MemoryError:
            return False
    elif answer == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif answer.startswith("die once "):
        mark = Path(answer.removeprefix("die once "))
        if not mark.exists():
            mark.touch()
            os._exit(3)
        return True
    elif answer == "raise":
        raise ZeroDivisionError
    elif answer == "print":
        print("this is no answer", flush=True)  # noqa: T201
        os.write(1, b"nor is this\n")
    elif answer.startswith("count "):  # a line for every time that the pair is judged
        with Path(answer.removeprefix("count ")).open("a") as file:
            file.write(f"{os.getpid()}\n")
        return True
    return gold == answer


if __name__ == "__main__":
    if "--broken" in sys.argv:
        sys.modules["math_verify"] = None
    if "--dead" in sys.argv:
        sys.exit(7)
    Grader.is_equal = is_equal
    worker.serve()
