r"""The parts of a product: numbers, names, functions, brackets, matrices."""

from __future__ import annotations

from limr.grading.cursor import Cursor, numeral, periodic
from limr.grading.nodes import MINUS_ONE, Node, negative, number, symbol
from limr.grading.tokens import NotUnderstoodError, Token, spelling
from limr.grading.words import SHORT, listed
from limr.grading.words import numeral as numeral_in_words

GREEK = listed(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar nabla partial "
    "aleph iota upsilon Upsilon Re Im"
)
FUNCTIONS = listed(
    "sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan arccot arcsec arccsc ln log "
    "exp cis lg"
)
OPAQUE = listed(
    "sum prod int oint iint lim max min gcd lcm det deg dim Pr sup inf bigcup bigcap arg ker"
)
ACCENTS = listed(
    "overline bar hat widehat tilde widetilde dot ddot overrightarrow overleftarrow overbrace "
    "underbrace mathbb mathcal mathfrak mathscr angle triangle measuredangle overset stackrel "
    "underset arc wideparen frown"
)
_STRUCTURAL = listed(
    "not neg lnot nexists cancel bcancel xcancel sout cup cap setminus pmod lor land "
    "forall exists in notin approx equiv sim le ge ne "
    "Rightarrow rightarrow subset subseteq supset parallel perp cong propto ll gg rangle "
    "langle rfloor rceil cdot pm mp circ choose over atop intercal bigcup bigcap"
)
_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|"}
_AXES = listed("i j k imath jmath")
PAIRS = {"lfloor": "rfloor", "lceil": "rceil"}
_MATRICES = listed("pmatrix bmatrix matrix array smallmatrix Bmatrix")


class Atoms(Cursor):
    """Reads what stands between two signs; sums and products are read by a subclass."""

    def expression(self) -> Node:
        """Read a sum."""
        raise NotImplementedError

    def _factor(self) -> Node:
        raise NotImplementedError

    def _beside(self, node: Node) -> Node:
        raise NotImplementedError

    def _starts_factor(self) -> bool:
        raise NotImplementedError

    def _base(self) -> Node:
        if self.place >= len(self.tokens):
            raise NotUnderstoodError("the text ends too early")
        token = self._next()
        if token.kind == "number":
            if self._peek() == "ldots" and (value := periodic(token.text)) is not None:
                self._next()
                return number(value)
            return self._refuse_index(number(numeral(token.text)))
        if token.kind == "letter":
            return self._letter(token.text)
        if token.kind == "word":
            return self._word(token)
        if token.kind == "begin":
            return self._matrix(token.text)
        if token.kind == "command":
            return self._command(token.text)
        if token.text in ("(", "[", "{", "|"):
            node = self._group(token.text)
            if token.text == "{" and node.op == "symbol":
                return self._named(node.name)
            return node
        raise NotUnderstoodError(f"'{token.text}'")

    def _refuse_index(self, node: Node) -> Node:
        if self._peek() == "_":
            raise NotUnderstoodError("an index of a number")
        return node

    def _group(self, opening: str) -> Node:
        node = self.expression()
        self._expect(_CLOSING[opening])
        return Node("abs", (node,)) if opening == "|" else node

    def _letter(self, name: str) -> Node:
        if name in ("e", "i") and self._peek() not in ("_", "'"):
            return Node("constant", name=name)
        return self._named(name)

    def _named(self, name: str) -> Node:
        """Read what belongs to a name: index, primes, and the argument of a function."""
        while self._peek() in ("_", "'"):
            mark = self._next().text
            if mark == "_":
                index = spelling(self._argument_tokens())
                name += "_{" + index.replace("\\", "").replace(" ", "") + "}"
            else:
                name += "'"
        inverse = [token.text for token in self.tokens[self.place : self.place + 5]]
        if inverse == ["^", "{", "-", "1", "}"] and name[0] in "fgh":
            self.place += 5
            name += "^{-1}"
        if self._peek() == "(" and self._is_application(name):
            self._next()
            args = [self.expression()]
            while self._peek() == ",":
                self._next()
                args.append(self.expression())
            self._expect(")")
            return Node("apply", tuple(args), name=name)
        return symbol(name)

    def _is_application(self, name: str) -> bool:
        if name[0] == "f" or "'" in name or "^{-1}" in name:
            return True
        shown = self.tokens[self.place + 1 : self.place + 3]
        is_short = (
            len(shown) == 2 and shown[0].kind in ("letter", "number") and shown[1].text == ")"
        )
        is_all = self.place + 3 == len(self.tokens) and self.tokens[0].text == name[:1]
        return is_short and (name[0] in "ghFGHPQ" or (is_all and shown[0].kind == "letter"))

    def _word(self, token: Token) -> Node:
        run, ends = [token.text], [self.place]
        while self._peek_kind() == "word" or (self._peek() == "-" and self._kind(1) == "word"):
            self.place += self._peek() == "-"
            run.append(self._next().text)
            ends.append(self.place)
        found = numeral_in_words(run)
        self.place = ends[found[1] - 1 if found else 0]
        if found:
            return number(found[0])
        if token.text.casefold() in ("infinity", "inf"):
            return Node("constant", name="infty")
        if (len(token.text) > 2 and self.place > 1) or token.text.casefold() in SHORT:
            raise NotUnderstoodError(f"'{token.text}'")
        if len(token.text) > 2:
            if self.place < len(self.tokens) and self._peek() not in ("_", "^"):
                raise NotUnderstoodError(f"words before '{self._peek()}'")
            return self._named(token.text)
        if len(token.text) == 1:
            return self._named(token.text)
        return Node("mul", (symbol(token.text[0]), self._named(token.text[1])))

    def _command(self, name: str) -> Node:
        if name in FUNCTIONS:
            return self._function("log" if name == "lg" else name)
        if name in ("frac", "binom"):
            first, second = self._short_argument(), self._short_argument()
            return Node("div" if name == "frac" else "binomial", (first, second))
        if name == "sqrt":
            return self._root()
        if name in ("pi", "infty"):
            return Node("constant", name=name)
        if name in ("ldots", "emptyset"):
            return symbol(name)
        if name in PAIRS:
            node = self.expression()
            self._expect(PAIRS[name])
            return Node(name[1:], (node,))
        if name in GREEK:
            return self._named(f"\\{name}")
        if name in ACCENTS:
            return self._accented(name)
        if name in OPAQUE:
            return self._opaque(name)
        if name in _STRUCTURAL or not name[:1].isalpha():
            raise NotUnderstoodError(f"\\{name}")
        return self._named(f"\\{name}")  # an unknown command stands for itself

    def _root(self) -> Node:
        index = number(2)
        if self._peek() == "[":
            self._next()
            index = self.expression()
            self._expect("]")
        return Node("root", (self._argument(), index))

    def _function(self, name: str) -> Node:
        base: tuple[Node, ...] = ()
        power: Node | None = None
        if self._peek() == "_" and name == "log":
            self._next()
            base = (self._short_argument(),)
        if self._peek() == "^":
            self._next()
            power = self._argument()
        if power == MINUS_ONE and name in ("sin", "cos", "tan", "cot", "sec", "csc"):
            name, power = "arc" + name, None
        if self._peek() in ("(", "{", "["):
            argument = self._factor_without_power()
        else:
            argument = self._function_argument()
        node = Node("function", (argument, *base), name=name)
        return node if power is None else Node("power", (node, power))

    def _factor_without_power(self) -> Node:
        return self._base()

    def _function_argument(self) -> Node:
        r"""Read what a function without brackets is of: `2x` in `\sin 2x \cos x`."""
        sign = self._next().text if self._peek() == "-" else ""
        node = self._factor()
        while self._starts_factor() and self._peek() not in FUNCTIONS and self._peek() != "(":
            node = self._beside(node)
        return negative(node) if sign else node

    def _opaque(self, name: str) -> Node:
        """Read a sum, limit, greatest common divisor and their like up to the next sign."""
        start, depth = self.place, 0
        while self.place < len(self.tokens):
            text = self.tokens[self.place].text
            depth += (text in ("(", "[", "{", "\\{")) - (text in (")", "]", "}", "\\}"))
            if depth < 0 or (depth == 0 and text in ("+", "-") and self.place > start):
                break
            self.place += 1
        inside = spelling(tuple(self.tokens[start : self.place]))
        if not inside and name in ("max", "min", "sup", "inf"):
            return symbol(f"\\{name}")
        if not inside:
            raise NotUnderstoodError(f"\\{name} of nothing")
        return symbol(f"\\{name} {inside}")

    def _accented(self, name: str) -> Node:
        if name in ("angle", "triangle", "measuredangle"):
            start = self.place
            if self._peek() == "{":
                inside = self._argument_tokens()
            else:
                while self._peek_kind() in ("letter", "word") or (
                    self._peek_kind() == "command" and self._peek() in GREEK
                ):
                    self.place += 1
                inside = self.tokens[start : self.place]
            shown = [token.text for token in inside if token.text not in "{}"]
            turned = shown[::-1] if name != "triangle" else sorted(shown)
            return self._named(f"\\{name} " + " ".join(min(shown, turned)))
        inside = [token for token in self._argument_tokens() if token.text not in ("{", "}")]
        if name == "hat" and len(inside) == 1 and inside[0].text in _AXES:
            return symbol(f"vec:{inside[0].text[0]}")
        if name in ("overset", "stackrel", "underset"):
            inside += self._argument_tokens()
        if name in ("bar", "overline"):
            name = "overline"
            if len(inside) == 2 and all(token.text.isupper() for token in inside):
                inside.sort(key=lambda token: token.text)  # a segment has two ends, and no first
        return self._named(f"\\{name}:{spelling(tuple(inside))}")

    def _matrix(self, name: str) -> Node:
        if name not in _MATRICES:
            raise NotUnderstoodError(name)
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while self.place < len(self.tokens) and self.tokens[self.place].kind != "end":
            row.append(self.expression())
            if self._peek() == "&":
                self._next()
            elif self._peek() == "\\\\":
                self._next()
                rows.append(tuple(row))
                row = []
        if row:
            rows.append(tuple(row))
        if self.place >= len(self.tokens) or self._next().text != name:
            raise NotUnderstoodError("a matrix never ends")
        if not rows or len({len(one) for one in rows}) != 1:
            raise NotUnderstoodError("rows of different length")
        return Node("matrix", tuple(Node("row", one) for one in rows))

    def _argument(self) -> Node:
        """Read an exponent or radicand: a group, a signed factor's base, a whole number."""
        if self._peek() in ("-", "+"):
            return negative(self._argument()) if self._next().text == "-" else self._argument()
        return self._base()

    def _short_argument(self) -> Node:
        r"""Read an argument of \frac: a group, or one digit or letter, as in `\frac34`."""
        if self._peek_kind() == "number" and self._peek().isdigit() and len(self._peek()) > 1:
            token = self.tokens[self.place]
            self.tokens[self.place : self.place + 1] = [
                token._replace(text=token.text[0]),
                token._replace(text=token.text[1:], gap=False),
            ]
        if self._peek_kind() == "letter":
            token = self._next()
            constant = token.text in ("e", "i")
            return Node("constant", name=token.text) if constant else symbol(token.text)
        return self._base()
