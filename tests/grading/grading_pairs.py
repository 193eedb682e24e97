r"""Pairs of a gold answer and a response with the verdict that they must get, and why.

One pair a line: `gold || response || mark why`, the marks being `=` correct, `!` incorrect and `#`
malformed.
A response without `\boxed` is the content of a box; `↵` is a line break, `∎` a response without a
box. The pairs were written for this project, from what models and data sets write.
"""

TABLE: dict[str, str] = {
    "fractions": r"""
        \frac{3}{4} || \dfrac{3}{4} || = display style
        \frac{3}{4} || \tfrac{3}{4} || = text style
        \frac{3}{4} || \cfrac{3}{4} || = continued-fraction style
        \frac{3}{4} || \frac34 || = no braces
        \frac{3}{4} || \frac3{4} || = half the braces
        \frac{3}{4} || \frac{3}4 || = the other half
        \frac34 || 3/4 || = with a slash
        3/4 || \frac{6}{8} || = not in lowest terms
        \frac{3}{4} || 0.75 || = as a decimal
        \frac{3}{4} || .750 || = as a decimal with zeros
        -\frac{3}{4} || \frac{-3}{4} || = sign above
        -\frac{3}{4} || \frac{3}{-4} || = sign below
        \frac{3}{4} || \frac{-3}{-4} || = two signs
        -\frac{3}{4} || -3/4 || = sign and slash
        \frac{11}{4} || 2\frac{3}{4} || = a mixed number
        \frac{11}{4} || 2 \frac34 || = a mixed number with space
        2\frac{3}{4} || \frac{11}{4} || = a mixed gold answer
        2\frac{3}{4} || \frac{3}{2} || ! a mixed number is no product
        -\frac{11}{4} || -2\frac{3}{4} || = the sign is of the whole
        \frac{11}{4} || 2 3/4 || = mixed with a slash
        \frac{3}{4} || \frac{4}{3} || ! upside down
        \frac{3}{4} || 34 || ! the bar is missing
        \frac{3}{4} || 3 || ! the numerator alone
        \frac{3}{4} || \frac{3}{5} || ! another denominator
        \frac{1}{3} || 0.33 || ! rounded
        \frac{1}{3} || 0.3333333333 || ! rounded at the tenth place
        \frac{x}{2} || \frac{1}{2}x || = a coefficient
        \frac{1}{2x} || \frac{1}{2}x || ! x below is not x beside
        \frac{x+2}{7} || (x+2)/7 || = a slash after brackets
        \frac{a}{b} || a/b || = letters
        \frac{1}{2} || \left(\frac{1}{2}\right) || = in brackets
        \frac{\frac{1}{2}}{3} || \frac{1}{6} || = a fraction in a fraction
        5 || \frac{10}{2} || = a fraction that is whole
        1,\frac{1}{2} || 1,0.5 || = in a list
    """,
    "decimals": r"""
        0.5 || .5 || = no leading zero
        .5 || 0.50 || = a trailing zero
        2 || 2.000 || = zeros after the point
        2.5 || \frac{5}{2} || = as a fraction
        2.5 || 2\frac{1}{2} || = as a mixed number
        2.5 || 25 || ! the point is missing
        2.5 || 2.05 || ! a zero too many
        2.5 || -2.5 || ! the sign
        0.000012 || 1.2 \times 10^{-5} || = scientific
        1200000 || 1.2 \cdot 10^6 || = scientific with a dot
        1000 || 10^3 || = a power of ten is a notation
        1000 || 10^4 || ! another power of ten
        1200000 || 1.2 \times 10^5 || ! one power less
        0.000012 || 0.00001 || ! rounded
        3.14 || \pi || ! pi is not 3.14
        \pi || 3.14159 || ! nor the other way round
        9999 || 10000 || ! no relative tolerance
        0.81 || 81 || ! no factor of 100
    """,
    "repeating": r"""
        \frac{1}{3} || 0.\overline{3} || = a bar over the period
        0.\overline{3} || \frac{1}{3} || = a bar in the gold answer
        0.\overline{27} || \frac{3}{11} || = a period of two
        \frac{5}{6} || 0.8\overline{3} || = a pre-period
        0.\overline{3} || 0.\bar{3} || = another bar
        0.\overline{3} || 0.\dot{3} || = a dot
        0.\overline{3} || 0.\overline{33} || = the period twice
        0.\overline{9} || 1 || = nines
        0.\overline{3} || 0.3 || ! without the bar
        .35625 || 0.\overline{35625} || ! with a bar that is not there
        0.\overline{3} || 0.33333 || ! cut off
        0.\overline{27} || 0.2\overline{7} || ! the bar over one digit only
        -0.\overline{3} || -\frac{1}{3} || = negative
        1.\overline{6} || \frac{5}{3} || = above one
    """,
    "thousands": r"""
        5400 || 5,400 || = commas
        5,400 || 5400 || = commas in the gold answer
        5400 || 5{,}400 || = braced
        10,\!080 || 10080 || = a thin space in the gold answer
        10080 || 10,\!080 || = a thin space
        10080 || 10\,080 || = a thin space alone
        10080 || 10 080 || = a space
        1234567 || 1,234,567 || = two commas
        1234567 || 1\,234\,567 || = two thin spaces
        \$1{,}000 || 1000 || = with a currency
        1000 || 1,000 \text{ meters} || = with a unit
        1000 || 10,00 || ! a comma in the wrong place
        5400 || 5,4 || ! not a thousand
        1,234 || 1234.5 || ! another number
        123,456 || 123.456 || ! a point is no comma
        -5400 || -5,400 || = negative
        1,100,101 || 1100101 || = looks like a list and is one number
        100,200,300,400 || 100, 200, 300, 400 || = groups with spaces
        1000000.5 || 1,000,000.5 || = with decimals
    """,
    "intervals": r"""
        (-\infty,2) || (-\infty, 2) || = spaces
        [2,5) || \left[2,5\right) || = left and right
        [2,5) || \left[ 2, 5 \right) || = left, right, spaces
        (0,1] || (0,1) || ! an open end
        [0,1) || (0,1) || ! an open beginning
        [0,1) || (0,1] || ! both exchanged
        (-\infty,2)\cup(3,\infty) || (3,\infty)\cup(-\infty,2) || = the parts in another order
        (-\infty,2)\cup(3,\infty) || (-\infty,2)∪(3,∞) || = Unicode
        (-\infty,2)\cup(3,\infty) || (-\infty,2) \cup [3,\infty) || ! a closed part
        (-\infty,2)\cup(3,\infty) || (3,\infty) || ! one part only
        (-\infty,2)\cup(3,\infty) || (-\infty,2) \text{ or } (3,\infty) || = a word for the union
        [1/2,\infty) || [0.5, +\infty) || = a decimal and a plus
        (2,12)\cup(12,102) || x \in (2,12) \cup (12,102) || = membership
        [-2,7] || x \in [-2,7] || = membership of one
        [-2,7] || -2 \le x \le 7 || = as a chain of inequalities
        (-2,7) || -2 < x < 7 || = as a strict chain
        (-2,7) || -2 \le x \le 7 || ! a chain that is not strict
        [5,\infty) || x \ge 5 || = a half line
        (-\infty,5) || x < 5 || = a half line downwards
        (-\infty,5) || x \le 5 || ! with its end
        (2,\infty) || \{x \mid x > 2\} || = a set with a condition
        (2,\infty) || \{x \mid x < 2\} || ! another condition
        (-\infty,\infty) || \mathbb{R} || = all real numbers
        [0,\pi] || [0,3.14] || ! rounded
        (-\infty,0] || [-\infty,0] || = no interval ends at infinity
        [2,5) || 2 || ! an end alone
        [2,5] || \{2,5\} || ! a set of two is no interval
    """,
    "sets": r"""
        \{1,2,3\} || \{3,1,2\} || = order does not count
        \{1,2,3\} || \left\{1,2,3\right\} || = left and right
        \{1,2,3\} || 1,2,3 || = without braces
        1,2,3 || \{1,2,3\} || = with braces
        \{1,2\} || \{1,2,2\} || = an element twice
        \{1,2,3\} || \{1,2\} || ! one is missing
        \{1,2\} || \{1,2,3\} || ! one too many
        \{1,2\} || \{1,3\} || ! another element
        \{1,2\} || (1,2) || ! a pair is no set
        \{\sqrt{2},1\} || \{1,\sqrt{2}\} || = surds in another order
        \{(1,2),(3,4)\} || \{(3,4),(1,2)\} || = pairs in another order
        \{(1,2),(3,4)\} || \{(2,1),(3,4)\} || ! a pair turned round
        \{-1, 0.5\} || \{\frac12, -1\} || = another form of an element
        \emptyset || \varnothing || = the other sign
        \emptyset || \{\} || = empty braces
        \emptyset || ∅ || = Unicode
        \emptyset || 0 || ! zero is no set
        \emptyset || \{0\} || ! a set with zero is not empty
        3, 5, 7 || 7, 5, 3 || = a list in another order
        3, 5, 7 || 3, 5 \text{ and } 7 || = with a word
        3, 5, 7 || 3; 5; 7 || = semicolons
        -2, 1 || x = -2, 1 || = a name
        -2, 1 || x = -2, x = 1 || = a name for each
        -2, 1 || x = -2 \text{ or } x = 1 || = a word between
        1, 2 || 1 || ! one of two
        1 || 1, 2 || ! two for one
    """,
    "tuples": r"""
        (3,1) || (3, 1) || = a space
        (3,1) || \left(3,1\right) || = left and right
        (3,1) || (1,3) || ! turned round
        (3,1) || (3,-1) || ! a sign
        (3,1) || (3,1,0) || ! one too many
        (3,1) || 3 || ! the first alone
        (3,1) || 3, 1 || = without brackets, in order
        (3,1) || (x,y) = (3,1) || = with names
        (3,1) || x = 3, y = 1 || = a name for each
        (3,1) || x=3 \text{ and } y=1 || = a name for each, a word between
        (3,1) || y = 1, x = 3 || = names in another order
        (3,1) || x = 1, y = 3 || ! names, values exchanged
        (x,y)=(3,1) || x=3, y=1 || = names on both sides
        (3,1) || P(3,1) || = a point's name
        (3,\frac{\pi}{2}) || \left(3,\frac{\pi}{2}\right) || = polar
        (3,\frac{\pi}{2}) || (3, \pi/2) || = a slash within
        (3,\frac{\pi}{2}) || (3,\pi) || ! another angle
        (1,4.5) || (1,\frac{9}{2}) || = a fraction within
        (1,2),(3,4) || (3,4),(1,2) || = a list of pairs in another order
        (1,2),(3,4) || (1,2) \text{ and } (3,4) || = a word between
        (1,2),(3,4) || (1,2) || ! one of two
        (a,b) || (b,a) || ! letters turned round
        (0;1) || (0,1) || = a semicolon
    """,
    "matrices": r"""
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix} 1 \\ 2 \end{pmatrix} || = spaces
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{bmatrix}1\\2\end{bmatrix} || = square brackets
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix}2\\1\end{pmatrix} || ! turned round
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix}1&2\end{pmatrix} || ! a row is no column
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || \begin{pmatrix}1 & 2\\3 & 4\end{pmatrix} || = spaces
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || \begin{pmatrix}1&3\\2&4\end{pmatrix} || ! transposed
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || \begin{pmatrix}1&2\\3&5\end{pmatrix} || ! an entry
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || \begin{vmatrix}1&2\\3&4\end{vmatrix} || ! no matrix
        \begin{pmatrix}1/2\\0\end{pmatrix} || \begin{pmatrix}\frac12\\0\end{pmatrix} || = a fraction
        \begin{pmatrix}1/2\\0\end{pmatrix} || \begin{pmatrix}0.5\\0\end{pmatrix} || = a decimal
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix}1\\2\\\end{pmatrix} || = a row end
        \begin{pmatrix}1\\2\end{pmatrix} || \left(\begin{array}{c}1\\2\end{array}\right) || = array
        \begin{pmatrix}-1\\x\end{pmatrix} || \begin{pmatrix}-1\\x\end{pmatrix} || = a letter
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix}1\\2\\3\end{pmatrix} || ! another size
        \begin{pmatrix}1\\2\end{pmatrix} || \begin{pmatrix}1\\[2pt]2\end{pmatrix} || = row spacing
        \begin{pmatrix}1\\2\end{pmatrix} || 1 || ! an entry alone
        \begin{pmatrix}\sqrt{3}\\1\end{pmatrix} || \begin{bmatrix}\sqrt3\\1\end{bmatrix} || = a root
    """,
    "units": r"""
        3 || 3\text{ cm} || = a unit
        3 || 3 \text{cm}^2 || = a square unit
        3 || 3 \mathrm{\ cm} || = upright
        3 || 3\ \mathrm{m/s} || = a compound unit
        3 || 3 \text{ square units} || = in words
        3 || 3 cm || = without text
        3 || 3\,\text{cm} || = after a thin space
        5.4 \text{ cents} || 5.4 || = a unit in the gold answer
        5.4 \text{ cents} || 5.4\text{ cents} || = a unit in both
        5.4 \text{ cents} || 5.4\text{ dollars} || ! another unit of the same kind
        36 \text{ minutes} || 36 \text{ hours} || ! hours are no minutes
        3 \text{ cm} || 3 \text{ centimeters} || = written out
        \$18.90 || 18.90 || = dollars
        18.90 || \$18.9 || = dollars in the answer
        10 || \$10 \text{ dollars} || = dollars twice
        3 || 4 \text{ cm} || ! another number
        3\sqrt{2} || 3\sqrt{2} \text{ inches} || = after a root
        12\pi || 12\pi \text{ cubic feet} || = after pi
        \frac{16}{27} || \frac{16}{27} \text{ gallons} || = after a fraction
        \frac{270}{7}\text{ degrees} || \frac{270}{7} || = degrees as a word
        4 || \text{Speed} = 4 \text{ in/s} || = a name and a unit
        12 || 12^{\text{th}} \text{ grade} || = an ordinal
        12 || 12\text{th} || = an ordinal in text
        3 || 3x || ! a letter is no unit
        36 || 36 \text{ seconds} \approx 1 \text{ minute} || = with an estimate
        60 || 60 \text{ mph} || = miles an hour
        0.06 \text{ yuan} || 0.06 || = another currency
        25 || €25 || = euros
        25 || 25\text{ m}^2 || = a power outside
        25 || 25\text{ m}^{2} || = a braced power outside
    """,
    "percent": r"""
        11\% || 11 || = the sign left out
        11 || 11\% || = the sign added
        11\% || 11 \% || = a space
        11 || 11% || = not escaped
        11 || 11\text{ percent} || = in words
        11 || 11\text{\%} || = in text
        12.5\% || 12.5 || = decimals
        12.5 || \frac{25}{2}\% || = a fraction
        11\% || 12\% || ! another number
        11 || 0.11 || ! no factor of 100
        11 || 1100\% || ! nor the other way
        100 || 1 || ! one whole is not a hundred
    """,
    "text": r"""
        \text{even} || even || = without text
        \text{even} || \text{Even} || = a capital
        \text{even} || \textbf{even} || = bold
        \text{even} || \mathrm{even} || = upright
        \text{even} || \text{odd} || ! the other word
        \text{even} || \text{not even} || ! a negation
        \text{even} || 2 || ! a number
        \text{Navin} || Navin || = a name
        \text{Navin} || \text{Evelyn} || ! another name
        \text{Navin} || \text{ Navin } || = spaces
        \text{ellipse} || \text{an ellipse} || = an article
        \text{ellipse} || \text{Ellipse.} || = a full stop
        \text{June 20} || \text{June 20} || = a date
        \text{June 20} || \text{June 2} || ! another date
        \text{June 20} || \text{July 20} || ! another month
        \text{4:30 p.m.} || 4:30 \text{ p.m.} || = a time
        \text{4:30 p.m.} || 4:30\text{ PM} || = a time in capitals
        \text{4:30 p.m.} || 4:30 \text{ a.m.} || ! half a day off
        6 || six || = a number word
        6 || seven || ! another number word
        \text{yes} || \text{Yes} || = yes
        \text{yes} || \text{No} || ! no
        \text{Saturday} || Saturday || = a day
        \text{red and blue} || \text{red and blue} || = a word between
        \text{no solution} || \text{No solution} || = no solution
    """,
    "choice": r"""
        \text{(C)} || C || = a letter
        \text{(C)} || (C) || = brackets
        \text{(C)} || \text{C} || = text
        \text{(C)} || \textbf{(C)} || = bold
        \text{(C)} || \textbf{(C) } || = bold with a space
        \text{(C)} || \mathrm{(C)} || = upright
        \text{(C)} || C. || = a full stop
        \text{(C)} || \text{(D)} || ! another letter
        \text{(C)} || D || ! another bare letter
        \text{(C)} || 3 || ! its number
        C || \text{(C)} || = a bare gold answer
        C || \text{Option C} || = a word before
        C || \text{(C) } 12 || = the letter and its value
        C || \text{C. red} || = the letter and its text
        C || \text{(D) } 12 || ! another letter and a value
        \text{B,E} || \text{B, E} || = two letters
        \text{B,E} || B \text{ and } E || = two letters and a word
        \text{B,E} || B || ! one of two
        \text{(C)} || \text{(c)} || = a small letter
    """,
    "degrees": r"""
        90^\circ || 90 || = the sign left out
        90 || 90^\circ || = the sign added
        90 || 90^{\circ} || = braced
        90 || 90^{\circ}. || = a full stop
        90^\circ || 90° || = Unicode
        90^\circ || 90 \text{ degrees} || = in words
        90^\circ || 90\degree || = a command
        90^\circ || 90^o || = a small letter o
        90^\circ || 91^\circ || ! another angle
        4^\circ, 20^\circ || 4^\circ, 20 || = a sign only once
        4^\circ, 20^\circ || 20^\circ, 4^\circ || = another order
        90^\circ || \angle A = 90^\circ || = a name
        -40^\circ || -40 || = negative
        72^\circ || 72^\circ \text{F} || = Fahrenheit
        30^\circ || 30^2 || ! a square is no degree
    """,
    "equations": r"""
        5 || x = 5 || = a name
        5 || x=5 || = a name without spaces
        5 || 2+3=5 || = a chain that ends in the value
        371 || m + n = 370 + 1 = 371 || = a longer chain
        y = 2x+1 || -y = 2x+1 || ! the sign of the name
        4 || -x = 4 || ! the sign of the name
        5 || x = 2+3 = 6 || ! a chain that ends elsewhere
        5 || 5 = x || = the name behind
        y = 2x+3 || y = 3 + 2x || = terms in another order
        y = 2x+3 || 2x+3 || = the name left out
        2x+3 || y = 2x+3 || = the name added
        2x+3 || f(x) = 2x+3 || = a function's name
        y = 2x+3 || y = 2x-3 || ! a sign
        y = 2x+3 || x = 2y+3 || ! names exchanged
        x^2+y^2=4 || y^2+x^2=4 || = terms in another order
        x^2+y^2=4 || x^2+y^2-4=0 || = all on one side
        x^2+y^2=4 || x^2+y^2=5 || ! another radius
        x^2+y^2=4 || 4 || ! the right side alone
        x+y=1 || y=1-x || = solved
        x+y=1 || 2x+2y=2 || = a multiple
        x+2y-1=0 || -x-2y+1=0 || = the other sign
        \frac{2}{3} || \frac{4}{6} = \frac{2}{3} || = simplified at the end
        5 || x \approx 5 || = about
        5 || a = 5.0 || = a name and a decimal
        5 || \text{Answer: } 5 || = a word and a colon
        5 || \text{The answer is } 5 || = a sentence
        (x-1)(x+2) || (x+2)(x-1) || = factors in another order
        x^2-1 || (x-1)(x+1) || = factored
        x^2-1 || (x-1)^2 || ! another square
        3x^2 || 3x^3 || ! another power
        f^{-1}(x) = x-1 || x-1 || = an inverse's name
        p - q || p-q || = letters
    """,
    "inequalities": r"""
        x < 1 || 1 > x || = turned round
        x < 1 || -x > -1 || = multiplied by -1
        x < 1 || x > 1 || ! the other way
        x < 1 || x \le 1 || ! not strict
        x \le 5 || x \leq 5 || = another command
        x \le 5 || x \leqslant 5 || = a slanted command
        x \le 5 || x <= 5 || = keyboard
        x \le 5 || x ≤ 5 || = Unicode
        x \le 5 || x \le 6 || ! another bound
        1 < x < 3 || 3 > x > 1 || = a chain turned round
        1 < x < 3 || x \in (1,3) || = an interval
        1 < x < 3 || 1 < x < 4 || ! another bound in a chain
        1 < x < 3 || 1 \le x < 3 || ! one end closed
        x > 2 || x \in (2,\infty) || = a half line
        x \ne 3 || x \neq 3 || = not equal
        x \ne 3 || x = 3 || ! equal
        x < 1 \text{ or } x > 3 || x > 3 \text{ or } x < 1 || = parts in another order
        x < 1 || 1 || ! the bound alone
        x > 0 || t > 0 || ! another letter
    """,
    "plus-minus": r"""
        \pm 2 || 2, -2 || = a list
        2, -2 || \pm 2 || = the sign for a list
        \pm 2 || \{-2, 2\} || = a set
        \pm 2 || 2 || ! one of two
        \pm 2 || \pm 3 || ! another number
        \pm 2 || x = \pm 2 || = a name
        \pm 2 || ±2 || = Unicode
        \pm \sqrt{3} || \sqrt{3}, -\sqrt{3} || = a surd
        1 \pm \sqrt{19} || 1 \pm \sqrt{19} || = as it stands
        1 \pm \sqrt{19} || 1+\sqrt{19}, 1-\sqrt{19} || = two roots
        1 \pm \sqrt{19} || 1-\sqrt{19}, 1+\sqrt{19} || = two roots the other way
        1 \pm \sqrt{19} || 1+\sqrt{19} || ! one root
        1+\sqrt{19}, 1-\sqrt{19} || 1 \pm \sqrt{19} || = the sign for two roots
        \frac{1\pm\sqrt{5}}{2} || \frac{1+\sqrt{5}}{2}, \frac{1-\sqrt{5}}{2} || = within a fraction
        1 \pm \sqrt{19} || \pm \sqrt{19} || ! a term is missing
        2 || \pm 2 || ! two for one
        1 \pm 2i || 1+2i, 1-2i || = complex
        5 || +5 || = a plus before a number
    """,
    "surds": r"""
        3\sqrt{13} || \sqrt{117} || = under the root
        \sqrt{117} || 3\sqrt{13} || = before the root
        3\sqrt{13} || 3\sqrt13 || = no braces
        3\sqrt{13} || 3 \cdot \sqrt{13} || = a dot
        3\sqrt{13} || \sqrt{13} \cdot 3 || = the other way round
        3\sqrt{13} || 3√13 || = Unicode
        3\sqrt{13} || 3√(13) || = Unicode with brackets
        3\sqrt{13} || 3 || ! the factor alone
        3\sqrt{13} || \sqrt{39} || ! the factor is not squared
        3\sqrt{13} || 313 || ! the root is missing
        3\sqrt{13} || 10.8167 || ! rounded
        \frac{\sqrt{3}}{3} || \frac{1}{\sqrt{3}} || = not rationalised
        \frac{\sqrt{3}}{3} || \sqrt{\frac{1}{3}} || = the root of a fraction
        \frac{\sqrt{3}}{3} || \frac{\sqrt 3}{3} || = a space
        \frac{\sqrt{3}}{3} || \sqrt{3}/3 || = a slash
        \frac{\sqrt{3}}{3} || \sqrt{3} || ! no denominator
        \sqrt[3]{2} || 2^{1/3} || = a power
        \sqrt[3]{16} || 2\sqrt[3]{2} || = a cube root
        \sqrt[3]{2} || \sqrt{2} || ! another root
        1+\sqrt{2} || \sqrt{2}+1 || = terms in another order
        1+\sqrt{2} || 1-\sqrt{2} || ! a sign
        \sqrt{2}+\sqrt{3} || \sqrt{5} || ! no such rule
        \sqrt{5+2\sqrt{6}} || \sqrt{2}+\sqrt{3} || = denested
        2 || \sqrt{4} || = a root that is whole
        11\sqrt{2} || 2\sqrt{60.5} || = a decimal under the root
        \sqrt{2} || 2^{0.5} || = a decimal exponent
        \sqrt{2} || sqrt(2) || = keyboard
        2\sqrt{2} || 2*sqrt(2) || = keyboard with a star
    """,
    "functions": r"""
        5\pi || 5π || = Unicode
        5\pi || 5 \cdot \pi || = a dot
        5\pi || \pi \cdot 5 || = the other way round
        5\pi || 5 || ! pi is missing
        5\pi || 15.708 || ! rounded
        18+2\pi || 18+18\pi || ! another term
        \frac{\pi}{6} || \pi/6 || = a slash
        \frac{\pi}{6} || \frac{1}{6}\pi || = a coefficient
        \log_2 3 || \frac{\ln 3}{\ln 2} || = another base
        \ln 2 || \log_e 2 || = base e
        e^2 || e^{2} || = braces
        e^2 || \exp(2) || = a function
        \cot x || \frac{\cos x}{\sin x} || = by definition
        \sec x || \frac{1}{\cos x} || = a reciprocal
        \sin x || \cos x || ! another function
        \sin^2 x || 1-\cos^2 x || = an identity
        6+9i || 9i+6 || = complex
        6+9i || 6-9i || ! conjugate
        -1 || i^2 || ! arithmetic left undone, even in i
        3^{2025} || 3^{2025} || = a large power as it stands
        3^{2025} || 2^{2025} || ! another base
        \frac{1}{2^{98}} || \frac{1}{2^{99}} || ! differ by little
        2^{98} || 2^{98}+1 || ! differ by a share of little
        \frac{1}{2^{98}} || 2^{-98} || = a negative power
        n! || n! || = a factorial of a letter
        120 || 5! || ! arithmetic left undone
        7 || 3+4 || ! a sum left undone
        56 || \binom{8}{3} || ! a binomial left undone
        \infty || infinity || = a word
        \infty || -\infty || ! the other end
        |x-1| || |1-x| || = an absolute value
        \lfloor x \rfloor || \lceil x \rceil || ! another rounding
    """,
    "bases": r"""
        204_5 || 204_{5} || = braces
        204_5 || 204 || = the base left out
        204_5 || 204_6 || ! another base
        204_5 || 205_5 || ! another digit
        -37_8 || -37_9 || ! another base of a negative number
        204_5 || 204_{\text{six}} || ! another base in words
        204_5 || 54 || ! the value in base ten
        52_8 || 52_{\text{8}} || = a base in text
        43_5 || 43_5. || = a full stop
        1100101_2 || 1100101 || = binary, base left out
        A3_{16} || A3_{16} || = a letter as a digit
        204_5 || (204)_5 || = brackets
        204_5 || 204_{\text{five}} || = the base in words
    """,
    "ratios": r"""
        3:4 || 3 : 4 || = spaces
        3:4 || 4:3 || ! turned round
        3:4 || 3:5 || ! another term
        2:3:4 || 2:3:4 || = three terms
        2:3:4 || 2:4:3 || ! three terms in another order
        7:32 || S_1 : S_2 = 7:32 || = a name
        3:4 || \text{3:4} || = in text
        3:4 || 3 || ! the first alone
        3:4 || 6:8 || = in proportion
        3:4 || 3 \text{ to } 4 || = in words
    """,
    "latex": r"""
        15 || $15$ || = dollars
        15 || \(15\) || = round delimiters
        15 || \[15\] || = square delimiters
        15 || {15} || = braces
        15 || {{15}} || = braces twice
        15 || 15. || = a full stop
        15 || 15, || = a comma
        15 || ~15~ || = ties
        15 || \ 15 \ || = escaped spaces
        15 || \quad 15 || = a quad
        15 || \displaystyle 15 || = a style
        15 || \mathbf{15} || = bold
        15 || \boldsymbol{15} || = bold symbols
        15 || \textbf{15} || = bold text
        15 || \text{15} || = text
        15 || \fbox{15} || = another box
        15 || \color{red}15 || = coloured
        15 || \underline{15} || = underlined
        15 || 15\\ || = a line break
        15 || \phantom{0}15 || = a phantom
        15 || \bigl(15\bigr) || = sized brackets
        x^2 || x^{2} || = braces in an exponent
        x^2 || {x}^{2} || = braces around a base
        x_1 || x_{1} || = braces in an index
        \frac{1}{2} || \\frac{1}{2} || = escaped twice
        6 || 2 \cdot 3 = 6 || = a product worked out
        2k+2 || 2(k+1) || = factored
        2k+2 || 2k+3 || ! another term
        2ab || 2a*b || = a star
        2ab || 2 a b || = spaces
        2ab || 2a^b || ! a power
        2ab || 2cd || ! other letters, which math-verify drops as a unit
        1+6rs || 1+6ab || ! other letters at the end of a sum
        2\mathbf{i} + 3\mathbf{j} || 2\mathbf{i} + 3 || ! a bold letter is no unit
        2+3\mathrm{i} || 2+3 || ! an upright i is no unit
        \mathbb{R} || \mathbb{R} || = a set's letter
        \frac{1}{2} || \frac{1}{2}\text{.} || = a full stop in text
        \alpha || \alpha || = a Greek letter
        \alpha || \beta || ! another Greek letter
    """,
    "unicode": r"""
        -3 || −3 || = a minus sign
        -3 || –3 || = a dash
        x^2 || x² || = a superscript
        x^3+3x || x³ + 3x || = a cube
        x^5 || x⁵ || = a higher superscript
        x^{12} || x¹² || = two superscripts
        2^{-1} || 2⁻¹ || = a negative superscript
        x_1 || x₁ || = a subscript
        \frac{1}{2} || ½ || = a half
        \frac{2}{3} || ⅔ || = two thirds
        \frac{5}{2} || 2½ || = a mixed number
        2\theta || 2θ || = theta
        \infty || ∞ || = infinity
        2 \times 3^x || 2×3^x || = a times sign
        2\sqrt{5} || 2√5 || = a root
        x \ge 2 || x ≥ 2 || = at least
        x \ne 2 || x ≠ 2 || = not equal
        90^\circ || 90º || = an ordinal sign as a degree
        3 || 3 || = a no-break space
        3 || ３ || = full width
        -3 || ﹣3 || = a small minus
        3 || 3✓ || = a tick
    """,
    "chinese": r"""
        5 || 5\text{厘米} || = a unit
        5 || 5厘米 || = a unit without text
        5 || 5\text{ 元} || = a currency
        \text{偶数} || 偶数 || = a word
        \text{偶数} || 奇数 || ! the other word
        1, 2 || 1，2 || = a full-width comma
        (1,2) || （1，2） || = full-width brackets
        1, 2 || 1 \text{ 或 } 2 || = or
        1, 2 || 1 \text{ 和 } 2 || = and
        5 || 5。 || = a full stop
        50 || 50％ || = a full-width percent sign
        5 || x＝5 || = a full-width equals sign
        12 || １２ || = full-width digits
        5 || 答案：5 || = a word and a colon
        C || 选C || = a choice
        5 || 6厘米 || ! another number
        5 || The answer is 五 \boxed{5} || = an English text
        5 || 答案是这个数字，所以我们得到结果 \boxed{5} || # more than 30 % foreign characters
        5 || 所以 the final answer is \boxed{5} || = a few foreign characters
    """,
    "nested": r"""
        5 || \boxed{\boxed{5}} || = a box in a box
        5 || \boxed{\boxed{\boxed{5}}} || = three boxes
        5 || \boxed{\boxed{6}} || ! the inner one counts
        \frac{1}{2} || \boxed{\frac{1}{\boxed{2}}} || ! the innermost is the answer
        \{1,2\} || \boxed{\{1,2\}} || = escaped braces
        \frac{1}{2} || \boxed{\frac{1}{2}} || = braces within
        x^{2^{n}} || \boxed{x^{2^{n}}} || = braces in braces
        5 || $$\boxed{5}$$ || = displayed
        5 || \[ \boxed{5} \] || = displayed in brackets
        5 || **\boxed{5}** || = in Markdown
        5 || \boxed {5} || = a space before the brace
        5 || \\boxed{5} || = escaped twice
        5 || \boxed{5\} || = an escaped closing brace
        5 || \boxed{5 || # never closed
        5 || \boxed{} || ! empty
        5 || \fbox{\boxed{5}} || = a box of another kind outside
    """,
    "several": r"""
        5 || \boxed{3} so \boxed{5} || = the last one counts
        5 || \boxed{5} so \boxed{3} || ! not the first
        2,3 || $\boxed{2}$ and $\boxed{3}$ || = a list over two boxes
        2,3 || \boxed{2}, \boxed{3} || = a list over two boxes, a comma
        2,3 || \boxed{3}, \boxed{2} || = the other order
        2,3 || \boxed{2}, \boxed{4} || ! one of them wrong
        2,3 || \boxed{2}↵↵Now \boxed{3} || ! another paragraph
        2,3,5 || \boxed{2}, \boxed{3} and \boxed{5} || = three boxes
        2,3,5 || \boxed{3}, \boxed{5} || ! one is missing
        5 || \boxed{2}, \boxed{3}, \boxed{5} || = the last one where no list is asked
        5 || \boxed{1} \boxed{2} \boxed{3} \boxed{5} || = four are allowed
        5 || \boxed{1} \boxed{2} \boxed{3} \boxed{4} \boxed{5} || # five are too many
        (1,2) || \boxed{1}, \boxed{2} || ! a pair is not put together
        \{2,3\} || \boxed{2}, \boxed{3} || = a set over two boxes
        5 || \boxed{5} and again \boxed{5} || = the same twice
    """,
    "middle": r"""
        5 || So \boxed{5} is the answer. || = a box in the middle
        5 || \boxed{5} || = a box alone
        5 || \boxed{5}↵↵Let me check: 2+3=5, right. || = a check after it
        5 || The answer is \boxed{5}, not 6. || = another number after it
        5 || 5 it is; \boxed{6} || ! the box counts, not the text
        5 || ∎The answer is 5. || # no box
        5 || ∎ || # nothing at all
        5 || ∎The answer is **5**. || # Markdown is no box
        5 || The boxed{5} or \boxed{5} || = a word before it
        5 || ∎The answer is boxed{5} || # without the backslash
        5 || x \boxed{5} y \boxed{6 || = a later box that never closes
        5 || So 1212121212121212121212121212 is not it, \boxed{5} || = repeated digits are layout
        5 || so we go so we go so we go so we go so we go \boxed{5} || # five times the same words
        5 || $9 \times 10 \times 10 \times 10 \times 10 \times 10 \times 10$ \boxed{5} || = product
        5 || $(1-i)(1-i)(1-i)(1-i)(1-i)(1-i)(1-i)$ \boxed{5} || = a power written out
        5 || -------------------------------------------- \boxed{5} || = a line is layout
        5 || | a | b |↵|---|---|↵\boxed{5} || = a table
    """,
    "costly": r"""
        5 || 9^{9^{9^9}} || ! a tower is not computed
        5 || 1000000000! || ! a factorial is not computed
        5 || \sum_{k=1}^{5} 1 || ! a sum left undone
        \sum_{k=1}^{5} k || \sum_{k=1}^{5} k || = as it stands
        5 || \int_0^5 dx || ! an integral left undone
        5 || __import__('os').system('true') || ! never executed
        5 || \frac{5}{0} || ! no number
        5 || ( || ! a bracket alone
        5 || \ || ! a backslash alone
        5 || ? || ! a question mark
        x || x^{x^{x^{x}}} || ! a tower of letters
    """,
}


def pairs() -> list[tuple[str, str, str, str, str]]:
    """Return the pairs as (category, gold, response, verdict, why)."""
    verdicts = {"=": "correct", "!": "incorrect", "#": "malformed"}
    found = []
    for category, lines in TABLE.items():
        for line in lines.strip("\n").split("\n"):
            if not line.strip():
                continue
            gold, response, why = line.strip().split(" || ")
            found.append((category, gold, _whole(response), verdicts[why[0]], why[2:]))
    return found


def _whole(response: str) -> str:
    if response.startswith("∎"):
        return response[1:]
    text = response.replace("↵", "\n")
    return text if "\\boxed" in text else f"So the answer is $\\boxed{{{text}}}$."
