"""Grade in a process and, at once, in two forks of it; print how many verdicts differ in each."""

import os
import sys
import threading

from limr.grading.pool import GradingPool

FORKS = 2


def items(number):
    """Pairs that only a worker can judge; every third one is right."""
    return [
        (f"x^2+{n}x+{number}", f"\\boxed{{{number} + x({n + (n % 3 > 0)}+x)}}", False)
        for n in range(2, 62)
    ]


def wrong(pool, number):
    found = [grade.verdict for grade in pool.grade_many(items(number))]
    return sum(
        verdict != ("incorrect" if n % 3 else "correct") for n, verdict in enumerate(found, 2)
    )


def main():
    with GradingPool(workers=2, seconds=120) as pool:
        assert wrong(pool, 100) == 0  # now its workers live
        asking = threading.Thread(target=pool.grade_many, args=(items(200),))
        if "busy" in sys.argv:  # the lock is held while the process forks
            asking.start()
        readers = []
        for number in range(FORKS):
            reader, writer = os.pipe()
            if os.fork() == 0:
                os.write(writer, b"%d" % wrong(pool, number))
                pool.close()
                os._exit(0)
            os.close(writer)
            readers.append(reader)
        counts = [wrong(pool, 300)] + [int(os.read(reader, 10) or b"-1") for reader in readers]
        if asking.is_alive():
            asking.join()
        assert wrong(pool, 400) == 0  # the children have not ended the parent's workers
    print(*counts)  # noqa: T201


if __name__ == "__main__":
    main()
