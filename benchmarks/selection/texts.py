"""Made-up mathematics: problems and responses, assembled from a vocabulary, seeded."""

from __future__ import annotations

import numpy as np

FORMULAS = 200_000  # enough that a page of a file seldom repeats one
PAIRS = (15, 34)  # connective and formula, so many times a response: about 2 KB

# Each of 200 to 300 characters once filled.
PROBLEMS = (
    "Let $f(x) = {a}x^2 - {b}x + {c}$ be defined for all real numbers $x$, and let $g$ be the "
    "function with $g(x) = \\frac{{f(x) + {d}}}{{{e}}}$. Find the sum of all values of $x$ for "
    "which $g(f(x)) = {f}$. Express your answer as a common fraction.",
    "In triangle $ABC$, the side lengths satisfy $AB = {a}$, $BC = {b}\\sqrt{{{c}}}$ and "
    "$\\angle ABC = {d}^\\circ$. Point $D$ lies on segment $\\overline{{AC}}$ so that "
    "$AD : DC = {e} : {f}$. Compute the square of the length of the segment $\\overline{{BD}}$.",
    "A bag contains ${a}$ red marbles, ${b}$ blue marbles and ${c}$ green marbles. Marbles are "
    "drawn one at a time without replacement until ${d}$ of one colour have been drawn. What is "
    "the probability that the draw ends with a green marble after exactly $\\binom{{{e}}}{{2}} + "
    "{f}$ draws?",
    "Find the number of ordered pairs $(m, n)$ of positive integers with $1 \\le m \\le {a}$ and "
    "$1 \\le n \\le {b}$ such that\n\\[\n\\gcd(m, {c}) \\cdot \\operatorname{{lcm}}(n, {d}) "
    "\\equiv {e} \\pmod{{{f}}},\n\\]\nand such that $m + n$ is not divisible by $3$.",
    "The polynomial $P(x) = x^4 - {a}x^3 + {b}x^2 - {c}x + {d}$ has four positive real roots "
    "$r_1, r_2, r_3, r_4$. Suppose that\n\\[\n\\frac{{r_1}}{{2}} + \\frac{{r_2}}{{4}} + "
    "\\frac{{r_3}}{{5}} + \\frac{{r_4}}{{8}} = \\frac{{{e}}}{{{f}}}.\n\\]\nFind the product of the "
    "largest two roots.",
    "Let $z$ be a complex number with $|z - {a}| = {b}$ and $\\operatorname{{Re}}(z) \\ge {c}$. "
    "Determine the largest possible value of $\\left| \\frac{{z + {d}i}}{{z - {e}}} \\right|^2$, "
    "rounded down to the nearest multiple of ${f}$. Enter a single integer as your answer.",
    "Define a sequence by $a_1 = {a}$, $a_2 = {b}$ and $a_{{n+2}} = {c}a_{{n+1}} - {d}a_n$ for all "
    "$n \\ge 1$. Let $S_n = \\sum_{{k=1}}^{{n}} a_k$. Find the remainder when $S_{{{e}}}$ is "
    "divided by ${f}$, given that the sequence is periodic modulo every prime above $7$.",
    "A right circular cone has base radius ${a}$ and height ${b}$. A sphere of radius "
    "$\\frac{{{c}}}{{{d}}}$ is placed inside it so that it touches the base and the lateral "
    "surface. The plane through the circle of tangency cuts the cone; what is the volume of the "
    "frustum, in units of $\\frac{{\\pi}}{{{e}}}$, less ${f}$?",
    "Evaluate the infinite sum\n\\[\n\\sum_{{n={a}}}^{{\\infty}} \\frac{{{b}n + {c}}}{{n(n + {d})"
    "(n + {e})}},\n\\]\nwriting it as $\\frac{{p}}{{q}}$ in lowest terms with coprime positive "
    "integers $p$ and $q$. What is the remainder of $p + q$ upon division by ${f}$?",
    "At a temperature of {a}° the two cylindrical tanks hold ${b}$ and ${c}$ litres of water. "
    "Water flows from the first into the second at ${d}$ litres a minute, and out of the second at "
    "$\\frac{{{e}}}{{7}}$ litres a minute. After how many minutes will the second tank hold "
    "exactly ${f}$ times as much as the first?",
    "The vectors $\\mathbf{{u}} = \\begin{{pmatrix}} {a} \\\\ -{b} \\\\ {c} \\end{{pmatrix}}$ and "
    "$\\mathbf{{v}} = \\begin{{pmatrix}} {d} \\\\ {e} \\\\ k \\end{{pmatrix}}$ span a "
    "parallelogram of area ${f}$. Find the sum of the squares of all possible real values of $k$.",
    "For how many integers $n$ with ${a} \\le n \\le {b}{c}$ does the base-${d}$ representation of "
    "$n^2 + {e}$ end in the digit that its base-$10$ representation begins with, when the product "
    "of its digits is not greater than ${f}$? Leading zeros are not counted as digits.",
)

ANSWERS = (
    "{a}",
    "\\frac{{{a}}}{{{b}}}",
    "{a}\\sqrt{{{b}}}",
    "{a}{b}",
    "-{a}",
    "\\frac{{{a}\\pi}}{{{b}}}",
)

LEADS = (
    ". Therefore, ",
    ".\n\nNext, we note that ",
    ". Since ",
    ". This means that ",
    ".\n\n**Step:** Now ",
    ". Substituting this back, ",
    ". It follows that ",
    ".\n\nWe can check this: ",
    ", so ",
    ", and hence ",
    ". Expanding both sides, ",
    ".\n- In this case ",
    ". Recall that ",
    ".\n\nTo simplify, observe that ",
    ". By symmetry, ",
    ". On the other hand, ",
    ". Let us denote by $S$ the total; then ",
    ".\n\nWait, let me reconsider — ",
    ". Dividing by the common factor, ",
    ". Using Vieta's formulas, ",
)
BODIES = (
    "the sum of the two roots is equal to ",
    "we obtain the equation ",
    "the left-hand side becomes ",
    "the remaining factor must satisfy ",
    "the discriminant of this quadratic is ",
    "the number of ways to choose them is ",
    "we can write the expression as ",
    "the area of the smaller triangle equals ",
    "the greatest common divisor divides ",
    "the length of the hypotenuse is ",
    "solving for the unknown gives ",
    "the probability of this event is ",
    "the coefficient of the linear term is ",
    "both conditions hold exactly when ",
    "the product over all cases is ",
    "this simplifies to ",
    "the minimum is attained at ",
    "combining like terms leaves ",
    "the only solution in this range is ",
    "the ratio of consecutive terms is ",
    "the radius of the inscribed circle is ",
    "completing the square yields ",
    "we are left with ",
    "the total number of favourable outcomes is ",
    "the previous inequality can be rewritten as ",
    "the second equation tells us that ",
    "the derivative vanishes when ",
    "modulo this prime we have ",
    "the slope of the line through them is ",
    "adding the three equations gives ",
)
SHAPES = (
    "${x} = {a}$",
    "$\\frac{{{a}}}{{{b}}}$",
    "${a}{x}^2 - {b}{x} + {c} = 0$",
    "$\\sqrt{{{a} + {b}{x}}}$",
    "\n\\[\n\\frac{{{a}{x} + {b}}}{{{c}{y} - {d}}} = \\frac{{{e}}}{{{f}}}\n\\]\n",
    "\\( {x} + {y} = {a} \\)",
    "$\\binom{{{a}}}{{{c}}} \\cdot {b}$",
    "${a} \\times {b} = {c}{d}$",
    "$\\left({x} - {a}\\right)\\left({y} + {b}\\right) \\le {c}$",
    "\n\\begin{{align*}}\n{a}{x} + {b}{y} &= {c} \\\\\n{x} - {d}{y} &= -{e}\n\\end{{align*}}\n",
    "$\\sum_{{k=1}}^{{{a}}} {x}_k = {b}$",
    "${x} \\equiv {a} \\pmod{{{b}}}$",
    "\\({x}^{{{a}}} = {b}^{{{c}}} + {d}\\)",
    "$\\cos {x} = -\\frac{{\\sqrt{{{a}}}}}{{{b}}}$",
)
LETTERS = tuple("xyabcdmnkprst")
OPENINGS = (
    "To solve this problem, we start from ",
    "First, let us write down what is given: ",
    "We are asked to find the value, so we begin with ",
    "Let's break it down step by step. We know that ",
    "To determine the answer, we consider ",
)
CLOSINGS = (
    ".\n\nThus, the final answer is $\\boxed{{{answer}}}$.",
    ".\n\nTherefore, the answer is:\n\\[\n\\boxed{{{answer}}}\n\\]",
    ". So the answer is \\(\\boxed{{{answer}}}\\).",
)


def _filled(template: str, numbers: list[int], **words: str) -> str:
    return template.format(**dict(zip("abcdef", numbers, strict=True)), **words)


def problems(rng: np.random.Generator, count: int) -> list[dict[str, str]]:
    """Return made-up problems with different prompts: id, prompt, answer, source."""
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        template = PROBLEMS[int(rng.integers(len(PROBLEMS)))]
        prompt = _filled(template, rng.integers(2, 400, 6).tolist())
        if prompt in found:
            continue
        answer = ANSWERS[int(rng.integers(len(ANSWERS)))]
        found[prompt] = {
            "id": f"problem-{len(found) + 1:05d}",
            "prompt": prompt,
            "answer": _filled(answer, rng.integers(2, 100, 6).tolist()),
            "source": f"made-up/{PROBLEMS.index(template)}",
        }
    return list(found.values())


class Responses:
    """Responses of about 2 KB: an opening, connectives and formulas in turn, a boxed answer."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Make the vocabulary."""
        shapes = rng.integers(len(SHAPES), size=FORMULAS).tolist()
        letters = rng.integers(len(LETTERS), size=(FORMULAS, 2)).tolist()
        numbers = np.exp(rng.uniform(np.log(2), np.log(2000), (FORMULAS, 6))).astype(int).tolist()
        connectives = [lead + body for lead in LEADS for body in BODIES]
        self._connectives = (len(OPENINGS), len(OPENINGS) + len(connectives))
        self._pieces = [*OPENINGS, *connectives] + [
            _filled(SHAPES[shape], row, x=LETTERS[x], y=LETTERS[y])
            for shape, (x, y), row in zip(shapes, letters, numbers, strict=True)
        ]

    def write(self, rng: np.random.Generator, answers: list[str | None]) -> list[str]:
        """Return a response for each answer; None leaves the text without a boxed answer."""
        rows = len(answers)
        pieces = np.empty((rows, 2 * PAIRS[1]), np.int64)
        pieces[:, 0::2] = rng.integers(*self._connectives, (rows, PAIRS[1]))
        pieces[:, 1::2] = rng.integers(self._connectives[1], len(self._pieces), (rows, PAIRS[1]))
        pieces[:, 0] = rng.integers(len(OPENINGS), size=rows)
        lengths = (2 * rng.integers(PAIRS[0], PAIRS[1] + 1, rows)).tolist()
        closings = rng.integers(len(CLOSINGS), size=rows).tolist()
        pool, texts = self._pieces, []
        for row, length, closing, answer in zip(
            pieces.tolist(), lengths, closings, answers, strict=True
        ):
            text = "".join([pool[piece] for piece in row[:length]])
            if answer is not None:
                text += CLOSINGS[closing].format(answer=answer)
            texts.append(text)
        return texts
