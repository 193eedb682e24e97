"""The grammar of expressions: tokens become a tree that keeps everything and computes nothing."""

from __future__ import annotations

from fractions import Fraction

from limr.grading.atoms import ACCENTS, FUNCTIONS, GREEK, OPAQUE, PAIRS, Atoms
from limr.grading.nodes import Node, negative, number, symbol
from limr.grading.tokens import NotUnderstoodError, spelling
from limr.grading.words import ORDINAL

MAX_NESTING = 40


class Parser(Atoms):
    """Reads an expression from tokens; `place` is how far it came."""

    def whole(self) -> Node:
        """Return the expression that all tokens are; NotUnderstoodError where one is left."""
        node = self.expression()
        if self.place < len(self.tokens):
            raise NotUnderstoodError(f"'{self.tokens[self.place].text}' is left over")
        return node

    def expression(self) -> Node:
        """Read a sum."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise NotUnderstoodError("too deep")
        terms = [self._signed_term(first=True)]
        while self._peek() in ("+", "-", "pm", "mp"):
            terms.append(self._signed_term(first=False))
        node = terms[0] if len(terms) == 1 else Node("add", tuple(terms))
        if self._peek() in ("choose", "over"):
            op = "binomial" if self._next().text == "choose" else "div"
            node = Node(op, (node, self.expression()))
        self._depth -= 1
        return node

    def _signed_term(self, *, first: bool) -> Node:
        sign = self._next().text if self._peek() in ("+", "-", "pm", "mp") else ""
        if not sign and not first:
            raise NotUnderstoodError("a sign is missing")
        if self._peek() in ("+", "-") and sign in ("+", "-") and not first:
            raise NotUnderstoodError("two signs")
        node = self._term()
        if sign == "-":
            return negative(node)
        return Node(sign, (node,)) if sign in ("pm", "mp") else node

    def _term(self) -> Node:
        node = self._factor()
        while True:
            mark = self._peek()
            if mark in ("cdot", "*"):
                self._next()
                node = Node("mul", (node, self._signed_factor()))
            elif mark == "/":
                self._next()
                node = Node("div", (node, self._signed_factor()))
            elif self._starts_factor():
                node = self._beside(node)
            else:
                return node

    def _beside(self, node: Node) -> Node:
        """Read a factor without a sign before it: a product, or the fraction of a mixed number."""
        before = self.tokens[self.place - 1]
        following = self.tokens[self.place]
        if following.kind == "number" and before.kind == "number":
            part = self._slashed()
            if node.op != "number" or node.value.denominator != 1 or part is None:
                raise NotUnderstoodError("two numbers side by side")
            return number(node.value + part)
        factor = self._factor()
        if before.kind == "number" and node.op == "number" and _is_fraction(factor):
            first, second = (one.value for one in factor.args)
            if node.value.denominator == 1 and first >= 0 and second > 0:
                return number(node.value + first / second)
        is_base = factor.op in ("power", "factorial")  # `n 2^{n-1}`, `9! 8!`
        if following.kind == "number" and before.text not in (")", "]", "}", "|") and not is_base:
            raise NotUnderstoodError("a number behind a letter")
        return Node("mul", (node, factor))

    def _slashed(self) -> Fraction | None:
        """Read `3/4` after a whole number and a space."""
        shown = [token.text for token in self.tokens[self.place : self.place + 3]]
        if len(shown) < 3 or shown[1] != "/" or not all(text.isdigit() for text in shown[::2]):
            return None
        if not int(shown[2]):
            return None
        self.place += 3
        return Fraction(int(shown[0]), int(shown[2]))

    def _signed_factor(self) -> Node:
        if self._peek() in ("-", "+"):
            sign = self._next().text
            node = self._signed_factor()
            return negative(node) if sign == "-" else node
        return self._factor()

    def _starts_factor(self) -> bool:
        if self.place >= len(self.tokens):
            return False
        token = self.tokens[self.place]
        if token.kind in ("number", "letter", "begin"):
            return True
        if token.kind == "word":
            return len(token.text) <= 2 and self._is_chemical()
        if token.kind == "command":
            return not (token.text == "frac" and self._is_unit_fraction()) and (
                token.text in GREEK
                or token.text in FUNCTIONS
                or token.text in OPAQUE
                or token.text in ACCENTS
                or token.text in PAIRS
                or token.text in ("frac", "sqrt", "binom", "pi", "infty", "ldots", "emptyset")
            )
        if (
            token.text == "("
            and self._kind(1) == "word"
            and len(self.tokens[self.place + 1].text) > 2
        ):
            return False  # a unit in brackets
        return token.text in ("(", "[", "{") or (token.text == "|" and self._opens_bar())

    def _opens_bar(self) -> bool:
        """Tell whether a bar opens an absolute value: an even number of bars came before it."""
        return sum(token.text == "|" for token in self.tokens[: self.place]) % 2 == 0

    def _is_chemical(self) -> bool:
        """Tell whether a short word belongs to a formula such as H_2O: an index or sign is near."""
        near = self.tokens[max(0, self.place - 3) : self.place + 2]
        if self._kind(1) == "mark" and self.tokens[self.place + 1].text == "_":
            return True
        return any(token.text in ("_", "^") for token in near) and any(
            token.kind == "word" for token in self.tokens[: self.place]
        )

    def _is_unit_fraction(self) -> bool:
        return [token.kind for token in self.tokens[self.place + 1 : self.place + 3]] == [
            "mark",
            "word",
        ]

    def _factor(self) -> Node:
        node = self._base()
        while self.place < len(self.tokens):
            mark = self._peek()
            if mark == "^":
                node = self._power(node)
            elif mark == "!":
                self._next()
                node = Node("factorial", (node,))
            elif mark == "circ":
                self._next()
                node = Node("degree", (node,))
            else:
                return node
        return node

    def _power(self, base: Node) -> Node:
        self._next()
        last = base.args[-1] if base.op == "mul" else base
        if self._peek() in ("+", "-") and last.op == "symbol" and self._is_charge():
            return _charged(base, self._next().text)
        start = self.place
        if base.op == "number" and (self._group_is(*ORDINAL) or self._peek() in ORDINAL):
            self._argument_tokens()
            return base
        letters = [token.text for token in self.tokens[self.place : self.place + 4]]
        if base.op == "number" and letters in (["{", *name, "}"] for name in ORDINAL):
            self.place += 4
            return base
        is_letter = base.op == "number" and self._group_is("o")
        if self._group_is("circ") or is_letter:
            self._argument_tokens()
            return Node("degree", (base,))
        if self._peek() == "intercal" or self._group_is("T", "intercal"):
            self._argument_tokens()
            return Node("transpose", (base,))
        if base.op == "symbol" and self._group_is("+", "-", "*", "'", "''"):
            return symbol(base.name + "^" + spelling(tuple(self._argument_tokens())))
        shown = [token.text for token in self.tokens[self.place : self.place + 4]]
        if last.op == "symbol" and shown[::3] == ["{", "}"] and shown[2] in "+-":
            self._argument_tokens()
            return _charged(base, shown[1] + shown[2])
        self.place = start
        if self._peek() == "'":
            raise NotUnderstoodError("a prime")
        return Node("power", (base, self._argument()))

    def _is_charge(self) -> bool:
        """Tell whether a sign ends the formula, as in Na^+."""
        return self.place + 1 == len(self.tokens) or self.tokens[self.place + 1].kind == "mark"


def _charged(base: Node, charge: str) -> Node:
    """Return a formula, a symbol or a product of some, with a charge at its last symbol."""
    if base.op == "mul":
        return Node("mul", (*base.args[:-1], _charged(base.args[-1], charge)))
    return symbol(f"{base.name}^{charge}")


def _is_fraction(node: Node) -> bool:
    return node.op == "div" and all(arg.op == "number" for arg in node.args)
