"""A second opinion on every score: plain loops from the formulas, sharing no code with limr.

A table is a list of problems, a problem a list of epochs, an epoch a pair (samples, correct) or
None where the problem was not sampled. Scores are floats, NaN = not scorable. Nothing here is
fast, clever or vectorised, and nothing of limr is imported: two implementations that agree were
written twice.
"""

import itertools
import math
from fractions import Fraction

NAN = math.nan


def curve_of(row):
    """Accuracy by epoch; None = not sampled."""
    curve = []
    for epoch in row:
        if epoch is None or epoch[0] == 0:
            curve.append(None)
        else:
            curve.append(epoch[1] / epoch[0])
    return curve


def fill(curve, rule):
    """A curve after a missing-epoch rule."""
    filled = list(curve)
    for k in range(len(curve)):
        if curve[k] is not None:
            continue
        if rule == "backfill-one":
            if k + 1 < len(curve) and curve[k + 1] is not None:
                filled[k] = curve[k + 1]
        elif rule == "backfill":
            for later in range(k + 1, len(curve)):
                if curve[later] is not None:
                    filled[k] = curve[later]
                    break
        elif rule == "mean-of-present":
            present = [value for value in curve if value is not None]
            if present:
                filled[k] = math.fsum(present) / len(present)
        elif rule != "strict":
            raise AssertionError(rule)
    return filled


def whole_curves(rows, epochs, rule):
    """Problem number -> filled curve, for the problems without a gap left."""
    found = {}
    for i, row in enumerate(rows):
        curve = fill(curve_of(row[:epochs]), rule)
        if None not in curve:
            found[i] = curve
    return found


def mean_curve(curves, n_epochs):
    """The mean accuracy of each epoch."""
    return [math.fsum(curve[k] for curve in curves.values()) / len(curves) for k in range(n_epochs)]


def squares(first, second):
    """Sum of squared differences."""
    return math.fsum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def spread_out(rows, found):
    """Scores by problem number -> one score a problem, NaN where there is none."""
    return [found.get(i, NAN) for i in range(len(rows))]


def weights_of(row, rule):
    """How each epoch of a filled curve is made: {visit: weight}; None = still missing."""
    there = [k for k, cell in enumerate(row) if cell is not None and cell[0]]
    made = []
    for k in range(len(row)):
        later = [j for j in there if j > k]
        if k in there:
            made.append({k: 1.0})
        elif rule == "mean-of-present" and there:
            made.append({j: 1 / len(there) for j in there})
        elif rule == "backfill-one" and k + 1 in there:
            made.append({k + 1: 1.0})
        elif rule == "backfill" and later:
            made.append({later[0]: 1.0})
        else:
            made.append(None)
    return made


def cell_noise(cell):
    """Unbiased estimate of the variance of a rate: r (1 - r) / (n - 1); None for one sample."""
    n, c = cell
    return None if n == 1 else c / n * (1 - c / n) / (n - 1)


def noises(rows, epochs, rule):
    """Problem number -> noise of each filled epoch, for whole curves of two samples or more."""
    found = {}
    for i, row in enumerate(rows):
        made = weights_of(row[:epochs], rule)
        if None in made:
            continue
        visits = {j for weights in made for j in weights}
        if any(row[j][0] == 1 for j in visits):
            continue
        found[i] = [math.fsum(w**2 * cell_noise(row[j]) for j, w in m.items()) for m in made]
    return found


def covariance_of_mean(found, noise, k):
    """Problem number -> Var(r_i - r̄) in epoch k, term by term."""
    n = len(found)
    every = math.fsum(noise[j][k] for j in found) / n**2
    return {i: noise[i][k] - 2 * noise[i][k] / n + every for i in found}, every


def lim(rows, *, epochs=None, missing="backfill-one", never_solved="warn", noise="ignore"):
    """LIM: 1 - Σ (r - r̄)² / Σ (1 - r̄)²; debiased, each square less the variance within it."""
    curves = whole_curves(rows, epochs, missing)
    known = noises(rows, epochs, missing) if noise == "debias" else None
    if known is not None:
        curves = {i: curve for i, curve in curves.items() if i in known}
    if not curves:
        return [NAN] * len(rows)
    mean = mean_curve(curves, len(rows[0][:epochs]))
    if all(value == 1 for value in mean):
        return [NAN] * len(rows)
    bottom = squares([1.0] * len(mean), mean)
    tops = {i: squares(curve, mean) for i, curve in curves.items()}
    if known is not None:
        largest = bottom
        for k in range(len(mean)):
            own, of_mean = covariance_of_mean(curves, known, k)
            tops = {i: top - own[i] for i, top in tops.items()}
            bottom -= of_mean
        if bottom <= 1e-9 * largest:
            return [NAN] * len(rows)
    found = {}
    for i, curve in curves.items():
        if never_solved == "drop" and all(value == 0 for value in curve):
            continue
        found[i] = 1 - tops[i] / bottom
    return spread_out(rows, found)


def bottom_lim(rows, **options):
    """The opposite of LIM."""
    return [-value for value in lim(rows, **options)]


def linear(rows, *, epochs=None, missing="backfill-one", variant="alignment", noise="ignore"):
    """The reconstruction of LINEAR; debiased, the alignment's squares less their noise."""
    curves = whole_curves(rows, epochs, missing)
    known = noises(rows, epochs, missing) if noise == "debias" else None
    if known is not None:
        curves = {i: curve for i, curve in curves.items() if i in known}
    n_epochs = len(rows[0][:epochs])
    if n_epochs < 2:
        return [NAN] * len(rows)
    line = [k / (n_epochs - 1) for k in range(n_epochs)]
    found = {}
    for i, curve in curves.items():
        if variant == "alignment":
            top = squares(curve, line) - (math.fsum(known[i]) if known is not None else 0.0)
            found[i] = 1 - top / squares([1.0] * n_epochs, line)
            continue
        # A curve is constant if its sampled epochs are: no rule fills in anything else.
        if len({value for value in curve_of(rows[i][:epochs]) if value is not None}) == 1:
            continue
        own, across = math.fsum(curve) / n_epochs, math.fsum(line) / n_epochs
        shared = math.fsum((a - own) * (b - across) for a, b in zip(curve, line, strict=True))
        spread = squares(curve, [own] * n_epochs) * squares(line, [across] * n_epochs)
        rho = shared / math.sqrt(spread)
        found[i] = rho if variant == "pearson" else math.copysign(rho * rho, rho)
    return spread_out(rows, found)


def variance(rows, *, epochs=None, missing="backfill-one", noise="ignore"):
    """Standard deviation of accuracy over the epochs, K in the denominator.

    Debiased: the variance less its noise, which is Var(r_k) of each epoch less Var(m), and the root
    with the sign kept.
    """
    curves = whole_curves(rows, epochs, missing)
    known = noises(rows, epochs, missing) if noise == "debias" else None
    n_epochs = len(rows[0][:epochs])
    if n_epochs < 2:
        return [NAN] * len(rows)
    found = {}
    for i, curve in curves.items():
        own = math.fsum(curve) / n_epochs
        square = squares(curve, [own] * n_epochs) / n_epochs
        if noise == "debias":
            if i not in known:
                continue
            total = {}  # each visit's weight in the sum of the filled curve
            for weights in weights_of(rows[i][:epochs], missing):
                for j, w in weights.items():
                    total[j] = total.get(j, 0.0) + w
            of_mean = math.fsum(
                (w / n_epochs) ** 2 * cell_noise(rows[i][j]) for j, w in total.items()
            )
            square -= math.fsum(known[i]) / n_epochs - of_mean
        if abs(square) < 1e-15:  # a rounding error, of which the root would be large
            square = 0.0
        found[i] = math.copysign(math.sqrt(abs(square)), square)
    return spread_out(rows, found)


def totals(rows, epochs):
    """Samples and correct ones of each problem over all used epochs."""
    found = []
    for row in rows:
        n = n_correct = 0
        for epoch in row[:epochs]:
            if epoch is not None:
                n += epoch[0]
                n_correct += epoch[1]
        found.append((n, n_correct))
    return found


def by_pass_rate(rows, epochs, rule):
    """`rule(samples, correct)` of every problem that was sampled."""
    return [rule(n, c) if n else NAN for n, c in totals(rows, epochs)]


def learnability(rows, *, epochs=None):
    """p (1 - p)."""
    return by_pass_rate(rows, epochs, lambda n, c: c / n * (n - c) / n)


def window(rows, *, epochs=None, low=0.2, high=0.8):
    """1 from low to high, ends included; else 0."""
    return by_pass_rate(rows, epochs, lambda n, c: 1.0 if low <= c / n <= high else 0.0)


def nonzero(rows, *, epochs=None):
    """1 for some but not all correct; else 0."""
    return by_pass_rate(rows, epochs, lambda n, c: 1.0 if 0 < c < n else 0.0)


def frontier(rows, *, epochs=None, target=0.5, prior=0.0):
    """Minus the distance of the pass rate, or its posterior mean, to the target."""
    return by_pass_rate(rows, epochs, lambda n, c: -abs((c + prior) / (n + 2 * prior) - target))


def lim_curve_free(rows, *, epochs=None, noise="ignore"):
    """Minus the squared distance to the mean pass rate; debiased, less its noise."""
    rates = by_pass_rate(rows, epochs, lambda n, c: c / n)
    own = [0.0] * len(rows)
    if noise == "debias":
        for i, row in enumerate(rows):
            cells = [cell for cell in row[:epochs] if cell is not None and cell[0]]
            if any(n == 1 for n, _ in cells):
                rates[i] = NAN
            elif cells:
                whole = sum(n for n, _ in cells)
                own[i] = math.fsum((cell[0] / whole) ** 2 * cell_noise(cell) for cell in cells)
    present = [i for i, rate in enumerate(rates) if not math.isnan(rate)]
    if not present:
        return rates
    mean = math.fsum(rates[i] for i in present) / len(present)
    every = math.fsum(own[i] for i in present) / len(present) ** 2
    return [
        -((rate - mean) ** 2 - own[i] + 2 * own[i] / len(present) - every)
        for i, rate in enumerate(rates)
    ]


def decayed(rows, *, epochs=None, target=0.5, decay=0.8, prior=1.0):
    """Minus the distance to the target of a Beta posterior's mean that forgets at each visit."""
    found = []
    for row in rows:
        a = b = prior
        visits = [epoch for epoch in row[:epochs] if epoch is not None and epoch[0]]
        for n, correct in visits:
            a = a * decay + prior * (1 - decay) + correct
            b = b * decay + prior * (1 - decay) + (n - correct)
        found.append(-abs(a / (a + b) - target) if visits else NAN)
    return found


def group(epoch):
    """0, 1 or 2 for a group all wrong, mixed or all right; None for less than two samples."""
    if epoch is None or epoch[0] < 2:
        return None
    n, correct = epoch
    return 0 if correct == 0 else 2 if correct == n else 1


def hmm(rows, *, epochs=None, decay=0.5, prior=1.0):
    """The chance that the next group is mixed, by the Markov chain of each problem."""
    three = range(3)
    found = []
    for row in rows:
        visits = [group(epoch) for epoch in row[:epochs]]
        counts = [[prior] * 3 for _ in three]  # [to][from]
        belief, before = [1 / 3] * 3, [1 / 3] * 3

        def step(to, start, counts=counts):
            return counts[to][start] / math.fsum(counts[other][start] for other in three)

        for visit in visits:
            now = belief if visit is None else [float(state == visit) for state in three]
            soft = [[now[j] * step(j, i) * before[i] for i in three] for j in three]
            whole = math.fsum(math.fsum(line) for line in soft)
            for j in three:
                for i in three:
                    soft[j][i] = 0.0 if visit is None else soft[j][i] / whole
            for j in three:
                for i in three:
                    counts[j][i] = counts[j][i] * decay + prior * (1 - decay) + soft[j][i]
            belief = [math.fsum(step(j, i) * now[i] for i in three) for j in three]
            before = now
        found.append(NAN if all(visit is None for visit in visits) else belief[1])
    return found


def greso(rows, *, epochs=None, easy=0.5, hard=0.5, least=0.01):
    """The chance to be sampled again after a row of groups that were all right, or all wrong."""
    found = []
    for row in rows:
        visits = [group(epoch) for epoch in row[:epochs] if group(epoch) is not None]
        in_a_row = 0
        while in_a_row < len(visits) and visits[-1] != 1 and visits[-1 - in_a_row] == visits[-1]:
            in_a_row += 1
        if not visits:
            found.append(NAN)
        elif in_a_row == 0:
            found.append(1.0)
        else:
            found.append(max((easy if visits[-1] == 2 else hard) ** in_a_row, least))
    return found


def progress(rows, *, epochs=None, measure="z"):
    """The later half's pass rate minus the earlier half's, over its standard error or not."""
    half = len(rows[0][:epochs]) // 2
    early = totals([row[:epochs][:half] for row in rows], None)
    late = totals([row[:epochs][::-1][:half] for row in rows], None)
    found = []
    for (n, c), (m, d) in zip(early, late, strict=True):
        if not n or not m:
            found.append(NAN)
            continue
        value = d / m - c / n
        if measure == "z" and 0 < c + d < n + m:
            pooled = (c + d) / (n + m)
            value /= math.sqrt(pooled * (1 - pooled) / n + pooled * (1 - pooled) / m)
        found.append(value)
    return found


def forgetting(rows, *, epochs=None, events="falls"):
    """How much of what was right at a visit is wrong at the next, over all visits."""
    found = []
    for row in rows:
        shares = [share for share in curve_of(row[:epochs]) if share is not None]
        pairs = list(itertools.pairwise(shares))
        if not pairs:
            found.append(NAN)
        elif events == "falls":
            found.append(math.fsum(a - b for a, b in pairs if a > b))
        else:
            found.append(math.fsum(a * (1 - b) for a, b in pairs))
    return found


def two_anchor(rows, weaker, stronger, *, epochs=None, target=0.5, crossed="keep"):
    """Minus the distance of the interpolated rate to the target; rates by problem, None = none."""
    above, way = [], []
    for row, a, b in zip(rows, weaker, stronger, strict=True):
        for share in curve_of(row[:epochs]):
            if share is not None and a is not None and b is not None:
                above.append(share - a)
                way.append(b - a)
    place = math.fsum(above) / math.fsum(way)
    found = []
    for a, b in zip(weaker, stronger, strict=True):
        if a is None or b is None or (crossed == "drop" and a > b):
            found.append(NAN)
        else:
            found.append(-abs(min(max(a + place * (b - a), 0), 1) - target))
    return found


def farthest_first(points, size):
    """Scores of points by name: the one nearest to the mean first, then always the farthest."""
    points = {name: [Fraction(value) for value in point] for name, point in points.items()}

    def exact(first, second):
        return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))

    names = sorted(points)
    wide = range(len(points[names[0]]))
    middle = [sum(points[name][d] for name in names) / len(names) for d in wide]
    chosen = [min(names, key=lambda name: (exact(points[name], middle), name))]
    while len(chosen) < min(size, len(names)):
        left = [name for name in names if name not in chosen]
        gaps = {name: min(exact(points[name], points[c]) for c in chosen) for name in left}
        widest = max(gaps.values())
        chosen.append(next(name for name in left if gaps[name] == widest))
    return {name: 1 - chosen.index(name) / size if name in chosen else 0.0 for name in names}


def full(rows):
    """1 for every problem."""
    return [1.0] * len(rows)


SCORES = {
    "bottom-lim": bottom_lim,
    "decayed": decayed,
    "forgetting": forgetting,
    "frontier": frontier,
    "full": full,
    "greso": greso,
    "hmm": hmm,
    "learnability": learnability,
    "lim": lim,
    "lim-curve-free": lim_curve_free,
    "linear": linear,
    "nonzero": nonzero,
    "progress": progress,
    "variance": variance,
    "window": window,
}


def published_procedure(step_samples, steps_per_epoch, theta):
    """The paper's released procedure: (prompt -> score of the scorable, prompts kept).

    `step_samples` has, for each training step, the (prompt, correct) pairs of its samples.
    """
    epochs = []
    for first in range(0, len(step_samples), steps_per_epoch):
        counts = {}
        for step in step_samples[first : first + steps_per_epoch]:
            for prompt, correct in step:
                tally = counts.setdefault(prompt, [0, 0])
                tally[0] += 1 if correct else 0
                tally[1] += 1
        epochs.append(counts)
    prompts = {}
    for counts in epochs:
        for prompt in counts:
            prompts[prompt] = []
    for prompt, curve in prompts.items():
        for counts in epochs:
            curve.append(counts[prompt][0] / counts[prompt][1] if prompt in counts else -1)
    for curve in prompts.values():
        for i in range(len(curve) - 1):
            if curve[i] == -1 and curve[i + 1] != -1:
                curve[i] = curve[i + 1]
    whole = {prompt: curve for prompt, curve in prompts.items() if -1 not in curve}
    mean = [sum(curve[k] for curve in whole.values()) / len(whole) for k in range(len(epochs))]
    largest = sum((1 - m) ** 2 for m in mean)
    scores = {}
    for prompt, curve in whole.items():
        scores[prompt] = 1 - sum((a - m) ** 2 for a, m in zip(curve, mean, strict=True)) / largest
    return scores, {prompt for prompt, score in scores.items() if score >= theta}
