r"""Pairs by the kind of what goes wrong in graders: `gold || answer || mark why`, `=` or `!`.

The kinds are those of public bug reports; the pairs were written for this project.
"""

TABLE: dict[str, str] = {
    "hedging": r"""
        C || C \text{ or } D || ! two choices
        \text{(B)} || \text{either B or C} || ! a choice left open
        \text{(B)} || \text{(B) is incorrect} || ! a denial after it
        \text{(B)} || \text{not (B)} || ! a denial before it
        \text{(B)} || \text{(B), (C)} || ! a list of choices
        \text{(B)} || (B)\ 12 || = the letter with its value
        \text{(B)} || \text{Option B} || = announced
        5 || 6 \text{ or } 5 || ! alternatives
        5 || 5; 6 || ! a second value
        5 || 5 \text{ to } 6 || ! a range
        5 || \text{at least } 5 || ! a bound
        5 || \text{about } 5 || ! an estimate
        5 || 5 \pm 1 || ! an error bar
        5 || \text{five or six} || ! in words
        5 || 5 \text{ is wrong} || ! a denial
        5 || 5? || ! a question mark
        5 || \text{five} || = one number word
        5 || 5 \text{ or } \frac{10}{2} || = alternatives that agree
        \text{(A)} || \text{(A) (B)} || ! two letters
        8 || 8 \text{ less than } x || ! a difference
        12 || \text{exactly } 12 || = nothing added
        12 || 12\text{ is the answer} || = the sentence goes on
        17 || 17\text{ billionths} || ! a magnitude
        17 || 17\text{-fold} || ! a magnitude
        4 || 4\%\% || ! a percentage twice
        x = 3 || \text{no }x=3 || ! a denial before the name
        \text{(A)} || (A) \text{ if } n>2 || ! a condition
    """,
    "words": r"""
        5 || 5 \text{ cubed} || ! an operation
        5 || 5\text{ minus } 1 || ! an operation and a number
        5 || 5 \text{ and a half} || ! something more
        5 || 5 \text{ billion} || ! a magnitude
        5 || 5 mil || ! a Spanish magnitude
        5 || 5\text{ тысяч} || ! a Russian magnitude
        5 || 5千 || ! a Chinese magnitude
        2 \text{ million} || 2,000,000 || = a magnitude written out
        \text{two million} || 2000000 || = in words
        17 || 17\text{ different ways} || = what is counted
        17 || 17\text{ (students)} || = in brackets
        5 || 5\text{ Meter} || = a German unit
        121 || \text{one hundred twenty-one} || = three number words
        10 || \text{Pam pays } \$10 \text{ more than Susan} || = what is compared
        10 || 10 \text{ more or less} || ! vague
        12 || \text{a dozen} || = an article and a magnitude
        350 || \text{three hundred and fifty} || = and within a number
        6, 5 || \text{six and five} || = and between numbers
        605 || \text{six hundred or five} || ! or is no part of a number
        \frac{2}{3} || \text{two-thirds} || = with a hyphen
        4 || \text{twenty fifth} || ! an ordinal is no fraction
        -3 || \text{negative three} || = a sign in words
        5 || \text{negative } x = 5 || ! not before an equation
        8 || \text{Hence } x = 8 || = a conclusion
        8 || \text{So } 8 \text{ or } 9 || ! a conclusion left open
        \text{(C)} || \text{C only} || = nothing added
        24 || 24\text{ percent off} || ! of something
    """,
    "words around": r"""
        7 || \text{only } 7 \text{ fails} || ! an exception: the verb is no name
        7 || \text{just } 7 \text{ breaks the rule} || ! an exception
        7 || \text{Only } 7 || = nothing added
        12 || \text{A total of } 12 \text{ students} || = what is counted
        7 || 7 \text{ fails} || ! a denial by a verb
        7 || 7 \text{ rejected} || ! a denial by a participle
        7 || 7 \text{ (extraneous)} || ! a denial in brackets
        7 || 7 \text{ beats the others} || ! a sentence: an article behind a verb
        7 || 7 \text{ people in the room} || = an article behind a preposition
        7 || 7 \text{ mistakenly} || ! an adverb
        7 || 7 \text{ withdrawn} || ! one word that may be anything
        7 || 7 \text{ marbles left} || = a plural noun and what is left of it
        7 || 7 \text{ children} || = an irregular plural
        7 || 7 \text{ banana} || ! no plural
        1 || 1 \text{ banana} || = one of them
        1 || \frac{2}{2} \text{ withdrawn} || ! no noun
        \frac{1}{3} || \frac13 \text{ pizza} || = a part of one
        12 || 12\text{th grade} || = an ordinal with what it counts
        7 || 7 \text{ of them} || = what a preposition begins
        7 || 7 \text{ km ahead} || = beside a unit
        7 || 7 \text{ daily} || = no adverb of doubt
        7 || 7\text{ M} || ! a letter that no table has as a unit
        7 || 7\text{ bn} || ! a magnitude
        7 || 7 \text{ ordered pairs} || = counted one by one
        7 || 7 \text{ onwards} || ! a bound
        7 || 7 \text{ неверно} || ! a Russian denial
        7 || \text{wrong} = 7 || ! a denial before an equals sign
        7 || \text{not} = 7 || ! a denial
        7 || \text{at least} = 7 || ! a bound
        7 || \text{half the area} = 7 || ! another number
        7 || \text{twice the number} = 7 || ! another number
        7 || \text{distance between two lines} = 7 || = what is asked for
        7 || \text{The missing angle is } 7 || = what is asked for
        7 || \text{The rejected root is } 7 || ! a denial before a verb
        7 || 答案是7 || = the answer is, in Chinese
        2 \pmod{4} || \text{wrong} = 2 \pmod{4} || ! a denial before a residue
        2 \pmod{4} || 5 \equiv 2 \pmod{4} || ! another class
        2 \pmod{4} || 6 \equiv 2 \pmod{4} || = the same class
        f(a) = 2a || \text{wrong} = f(a) = 2a || ! a denial before a definition
        36 || 3 \text{ apples} = 36 || ! no equation of numbers
        36 || 1 \text{ hour} = 36 \text{ min} || ! no equation of units
        36 || 0.6 \text{ min} = 36 \text{ s} || = an equation of units
        36 || 0.36 = 36\% || = a hundredth
        9 \text{ kg} || 9 \text{ kg short} || ! beside a unit
        x = 7 || \text{only } x = 7 \text{ fails} || ! an exception
        \text{(B)} || \text{(B) fails} || ! a denial
        \text{Monday} || \text{on Monday} || = a preposition alone
        \text{Monday} || \text{not on Monday} || ! a denial
    """,
    "units": r"""
        60 \text{ km/h} || 60 \text{ m/s} || ! another unit
        60 \text{ km/h} || 60 \text{ kilometers per hour} || = spelled out
        60 \text{ km/h} || 60\ \mathrm{km\,h^{-1}} || = a negative power
        60 \text{ mph} || 60 \text{ miles per hour} || = an abbreviation
        10 \text{ N} || 10\ \mathrm{kg \cdot m / s^2} || = in base units
        5 \text{ L} || 5000 \text{ mL} || = converted
        5 \text{ mL} || 5 \text{ L} || ! another prefix
        5 \text{ mg} || 5 \text{ Mg} || ! the case of a prefix
        45^\circ || 45 \text{ radians} || ! another angle
        20^\circ\text{C} || 20^\circ F || ! another scale
        \$1.50 || 150\text{ cents} || = converted
        \$1.50 || 1.50\text{ cents} || ! a hundredth
        12 \text{ cm}^2 || 12 \text{ sq cm} || = a square in words
        12 \text{ cm}^2 || 12 \text{ cm}^3 || ! another dimension
        2 \text{ hours } 15 \text{ minutes} || 135 \text{ minutes} || = a sum
        3 || 3m || ! a letter is no unit
        3m || 3s || ! another letter
        3 \text{ m} || 3m || = but it is where the gold answer has one
        7 \text{ days} || 7 \text{ apples} || ! other things
        5 || 5 \text{ kg}^{99} || ! a unit that explodes
        9.8 \text{ m/s}^2 || 9.8\ \frac{m}{s^2} || = a unit in letters
        330 \text{ m/s} || 330 s/m || ! a unit in letters, turned round
        2.4 \text{ kWh} || 2.4\text{ kilowatt-hours} || = with a hyphen
        5\text{ kg} || 5\text{ Kg} || = a prefix in capitals
        40\text{ people} || 40\text{ persons} || = an irregular plural
        £40 || 40\text{ pounds} || = a pound is both
        3 \text{ km north} || 3\text{ km south} || ! another word beside it
        3 \text{ km north} || 3\text{ km} || = a word left out
        \$5 \text{ per hour} || \$5\text{ per day} || ! another rate
        3\ \Omega || 3\text{ ohms} || = a sign spaced as a unit
        3\ \text{k}\Omega || 3\text{ m}\Omega || ! another prefix of a sign
        5\ \mu\text{m} || 0.005\text{ mm} || = a prefix as a sign
        3\mu + 1 || 1 + 3\mu || = a letter
    """,
    "letters": r"""
        R - r || r - R || ! turned round
        \frac{R}{r} || \frac{r}{R} || ! turned round
        \Delta x || \delta x || ! another case
        GMm || Gmm || ! another case
        V = IR || V = ir || ! another case
        a_1 || a || ! an index
        a_1 + a_2 || a_1 + a_1 || ! another index
        f'(x) || f''(x) || ! a prime
        y' = 2y || y = 2y || ! a prime
        \angle ABC || \angle CBA || = the same angle
        \angle ABC || \angle BAC || ! another vertex
        p - q || q - p || ! turned round
        p - q || -q+p || = the same
        mgh || hgm || = a product
        3^{n-1} || 3^n-1 || ! what is in the exponent
        x_{n+1} || x_n+1 || ! what is in the index
        \overline{AB} || \overline{BA} || = a segment
        \overrightarrow{AB} || \overrightarrow{BA} || ! a direction
        \text{SAS} || ASA || ! no product
        \text{NaCl} || NaCl || = a formula without its font
        \text{Fe}^{3+} || \text{Fe}^{2+} || ! another charge
        \text{SO}_4^{2-} || SO_4^{2-} || = a charge in braces
        9.8\text{ m/s}^2 || 9.8\ \mathrm{m/s^2}x || ! a letter behind the unit
        17 || 17\text{ different ways}x || ! a letter behind the words
        \vec{AB} || \vec{BA} || ! a vector has a direction
        \text{H}_2\text{SO}_4 || H2SO4 || = a formula as plain text
        \text{CO}_3^{2-} || \ce{CO3^2-} || = a formula's own command
        \text{CO}_3^{2-} || \ce{CO3^2+} || ! another charge
        \text{Na}^+ || \ce{Na+} || = a charge
        \langle 2,3\rangle || 2\hat{i}+3\hat{\jmath} || = by unit vectors
    """,
    "sides": r"""
        x + y = 5 || 5 || ! a side
        2x = 6 || 6 || ! a side
        2x = 6 || x = 3 || = solved
        \tan\theta = 2\theta || 2\theta || ! a side
        x = 3 || 3 || = a fresh name
        4 || a_{10} = 4 || = a name
        4 || 4 = a_{10} || = turned round
        4 || 2 + 2 = 4 || = worked out
        4 || 5 = 4 || ! not true
        4 || x \ge 4 || ! a bound
        4 || \text{maximum value: } 4 || = said in words
        f(x)=x^2 || f(t)=t^2 || = another variable
        f(x)=x^2 || g(x)=x^2 || ! another function
        f(x)=x+c || f(c)=c+x || ! a variable that was a constant
        f(x)=2x || f(x)=2x \text{ for all real } x || = for all
        f(x)=2x || f(x)=2x \text{ for } x>0 || ! a condition
        y = 2x + 3 || 2x - y + 3 = 0 || = the same line
        x < 2y || 2y > x || = turned round
        x < 2y || x > 2y || ! the other half plane
        PV = nRT || nRT || ! a side, and no segment
        AB = 5 || 5 || = a segment
        9 || =9 || = a leading sign
        9 || 9 = 3^2 || = worked out, turned round
        20 || \min = 20 || = a name
        20 || \text{Area of } \triangle ABC = 20 || = a name
        f(x)=2x-3 || y=2x-3 || = its graph
        f(x)=2x-3 || y=2t-3 || ! another letter
        \frac{\pi}{4}+k\pi || \frac{\pi}{4}+k\pi, k\in\mathbb{Z} || = any integer
        \frac{\pi}{4}+k\pi || \frac{\pi}{4}+k\pi, k\in\mathbb{N} || ! not any
        f(x)=ax+b || f(x)=ax+b \text{ for constants } a \text{ and } b || = any numbers
        x < k || x < k, k \in \mathbb{Z} || ! a restriction
        AB \parallel CD || CD \parallel AB || = turned round
        \frac{dy}{dx}=2x || 2x || = a derivative is a name
        \frac{7}{12} || \frac{14}{24} = \frac{7}{12}x || ! a chain that goes on
        \frac{7}{12} || \frac{14}{24} = \frac{7}{12} : 977 || ! a chain that goes on
        a_n = 3n-2 || a_k = 3k-2 || = another index
        a_n = 3n-2 || a_k = 3n-2 || ! an index that is nowhere
        f(x) = 2x || t\mapsto 2t || = an arrow
        f(x) = 2x || g: x\mapsto 2x || ! another function
        Y(x) = 2x || Y = 2x || = its variable left out
        \frac{\pi}{4}+k\pi || \frac{\pi}{4}+n\pi, n\in\mathbb{Z} || = any integer by another letter
        \frac{\pi}{4}+k\pi || \frac{\pi}{4}+n\pi || ! another letter
        \triangle ABC\sim\triangle DEF || \triangle DEF\sim\triangle ABC || = turned round
    """,
    "collections": r"""
        3, 3, 5 || 3, 5 || ! twice
        \{3, 3, 5\} || \{3, 5\} || = a set has each once
        2:3 || 2:3:5 || ! another term
        2:3 || 4:6 || = in proportion
        n = 3, 4 || m = 3, 4 || ! another name
        (1, 2) || x = 1, y = 2 || = by name
        (x, y) = (2, 5) || (y, x) = (5, 2) || = by name
        (1,2),(3,4) || (1,2)(3,4) || = side by side
        \langle 2,3\rangle || 2\mathbf{i}+3\mathbf{j} || = by components
        4:30 \text{ PM} || 4:30 \text{ AM} || ! the other half of the day
        5 \text{ p.m.} || 5:00 \text{ PM} || = minutes left out
        \begin{cases} x&x>0\\0&x<0 \end{cases} || \begin{cases}0,&x<0\\x,&x>0\end{cases} || = rows
        18:00 || 6 \text{ p.m.} || = of 24 hours
        18:00 || 6 \text{ a.m.} || ! the other half of the day
        12:00 \text{ a.m.} || \text{midnight} || = a name
        12:00 \text{ p.m.} || \text{midnight} || ! another name
        6:00 || 18:00 || ! of 24 hours
        9:05 || 9:5 || ! a time, and no ratio
        4:7 || \frac{4}{7} || = a quotient
        4:7 || \frac{7}{4} || ! turned round
        \frac{5}{8} || 5:8 || ! a ratio where a number is asked
        \begin{pmatrix}5\\-2\end{pmatrix} || \langle5,-2\rangle || = a column
        \begin{pmatrix}5&-2\end{pmatrix} || \langle5,-2\rangle || ! a row
        A\setminus B || B\setminus A || ! turned round
        A\cup B || B\cup A || = in any order
        p\land q || p\lor q || ! another word between them
        2 \text{ and } 3 || 2 \text{ or } 3 || ! alternatives where both are asked
        x=2 \text{ or } x=3 || 2 \text{ and } 3 || = both solutions
        x = 2, 3 || (2,3) || ! solutions, and a tuple
        x = 2, 3 || x\in(2,3) || ! solutions, and an interval
        x = 2, 3 || x\in\{2,3\} || = solutions as a set
        A, C || \text{A or C} || ! alternatives where both are asked
        1331\text{ and }1728 || 1331 \& 1728 || = a sign for and
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || [[1,2],[3,4]] || = by rows
        \begin{pmatrix}1&2\\3&4\end{pmatrix} || [[1,3],[2,4]] || ! by columns
        \begin{pmatrix}2\\5\end{pmatrix} || [2,5] || = a column
        \{2,3\} || \{2\},\{3\} || ! sets side by side
    """,
    "sets": r"""
        [1,2] || 1\le x\le2 || = no blank after the sign
        (1,2] || ]1,2] || = a French bracket
        [0,+\infty) || [0,+\infty[ || = a French bracket at infinity
        (-\infty,1)\cup(2,\infty) || x<1 \lor x>2 || = or
        (-\infty,1)\cup(2,\infty) || \mathbb{R} \setminus [1,2] || = without
        (-\infty,3)\cup(3,\infty) || x \ne 3 || = a point left out
        (-\infty,3)\cup(3,\infty) || \{x \mid x \neq 3\} || = by a condition
        (-1, 3) || |x - 1| < 2 || = an absolute value
        (-1, 3) || |x - 1| \le 2 || ! closed ends
        x > 3 || x \geq 3 || ! a closed end
        (0, \infty) || \mathbb{R}^+ || = by its name
        -2<x<5, x\neq 0 || (-2,0)\cup(0,5) || = two conditions
        x \ne \pm 2 || x\ne 2, x \ne -2 || = both signs
        x<3 || 2x \in (-\infty,3) || ! of twice the letter
        x<3 || x^x \in (-\infty,3) || ! of a power of the letter
        x\ne 1 || \text{all real numbers except } 1 || = a point left out in words
        \mathbb{R}\setminus\{-1,1\} || \text{all real numbers except }\pm 1 || = two points
        7 || 7 \text{ except } 8 || ! no set
        x > 0 || \text{all positive real numbers} || = in words
        (-\infty,0)\cup(4,\infty) || x<0 \text{ and } x>4 || ! both at once
        x<1\text{ or }x>5 || x<1\text{ and }x>5 || ! another word between them
        D = (0, 1) || 0 < x < 1 || = the set that is named
        (0,\infty) || \mathbb{R}^+, n\ge 977 || ! a set and a condition
    """,
    "values": r"""
        \frac{11}{5}-\frac{2}{5}i || \frac{11-2i}{5} || = complex
        6-3i || 3(2-i) || = complex, factored
        2-i || 2+i || ! the conjugate
        i || \sqrt{-1} || = a root
        5\sqrt{3} || 8.6602540378443865 || ! a decimal for a surd
        0.8660254037844386 || \frac{\sqrt3}{2} || = a surd for a printed decimal
        \frac{\sqrt6+\sqrt2}{4} || \cos 15^\circ || ! left to be computed
        \sqrt{x^2} || |x| || = a real root
        \sqrt{x^2} || x || ! not for negative numbers
        \ln x^2 || 2\ln x || ! not for negative numbers
        \lceil n/2 \rceil || \lceil n/3 \rceil || ! differ for large numbers
        e^{-200} || e^{-201} || ! both are small
        2014! || 2014 \cdot 2013! || = large factorials
        10000! + 1 || 10000! - 1 || ! too large to compute
        \binom{109}{10} || \binom{109}{99} || = symmetric
        \frac{n!}{k!(n-k)!} || \binom{n}{k} || = by factorials
        101_2 || 101 \text{ (base 2)} || = the base in words
        a_1 || a_{1} || = braces
        n \equiv 3 \pmod 8 || n \equiv 11 \pmod 8 || = the same class
        n \equiv 3 \pmod 8 || n \equiv 3 \pmod 4 || ! another modulus
        \text{no solution} || \text{There are no solutions} || = restated
        \text{DNE} || \text{does not exist} || = restated
        DNE || \text{does not exist} || = no product
        DNE || END || ! other letters
        12 || 12_7 || ! a base where none is asked
        52_8 || 52 || = the base left out
        x \equiv 2 \pmod{9} || x = 9k+2 || = its members
        x \equiv 2 \pmod{9} || x = 9k+3 || ! of another class
        0.\overline{27} || 0.272727\ldots || = going on
        0.\overline{27} || 0.272727 || ! ending
        \frac{1}{6} || 0.1666\ldots || = going on
        3.14 || 3.1414\ldots || ! going on
        1011_2 || 1011\text{ in binary} || = the base by its name
        2e^{i\pi/3} || 2\text{cis}(60^\circ) || = a function as text
        -\infty || \text{negative infinity} || = in words
    """,
    "spelling": r"""
        2\pi r || 2*pi*r || = plain text
        \frac{\sqrt{3}}{2} || sqrt(3)/2 || = plain text
        e^{16} - 1 || -1 + exp(16) || = plain text
        2\sqrt[3]{4} || 2\sqrt[3]4 || = no braces
        10^{23} || {10}^{23} || = braces
        12 || {\bf 12} || = a font
        \frac{1}{2} || \Large\frac{1}{2} || = a size
        \frac{1}{2} || \boldsymbol{\frac{1}{2}} || = a style
        x = 3 || \begin{aligned} x &= 3 \end{aligned} || = an alignment
        C || **C** || = Markdown
        13 || \text{1}3\text{0} || ! digits in pieces
        x = \boxed{5} || 5 || = a box in the gold answer
        \text{H}_2\text{O} || \mathrm{H_2O} || = a formula
        \text{H}_2\text{O} || \text{HO}_2 || ! another formula
        \text{Na}^+ || \text{Na}^- || ! another charge
        100,000,000\pi || 77 \cdot 100,000,000\pi || ! no list of zeros
        \frac{3}{5} || {3 \over 5} || = TeX's own fraction
        2x^2-3x+1 || 2*x**2 - 3*x + 1 || = as Python writes powers
        11 || 11^{th} || = an ordinal in letters
        (-\infty, 2) || (-inf, 2) || = infinity in letters
        7 || \begin{array}{c} 7 \end{array} || = one entry
        1500000 || 1.500.000 || = groups by full stops
        1.5 || 1.500.000 || ! groups by full stops
        \frac{2}{3} || \colorbox{yellow}{$\frac{2}{3}$} || = a colour
    """,
    "terms far apart": r"""
        n || x^{n+1} - (x^{n+1} - n) || = large powers cancel
        -n || x^{n+1} - (x^{n+1} - n) || ! another rest
        2n || x^{n+1} - (x^{n+1} - n) || ! another rest
        n || x^{2n+1} - (x^{2n+1} - n) || = powers that are too large at some points
        n+1 || x^{2n+1} - (x^{2n+1} - n) || ! the same, another rest
        |n| || x^{n^2+1} - x \cdot x^{n^2} + n || ! nor may a sign be lost with them
        n || 2^{k+1} - 2 \cdot 2^k + n || = powers of a number
        n || a^{m+n} - a^m a^n + n || = a sum of exponents
        n || 4^k - 2^{2k} + n || = powers of different numbers
        n || (x^n + 1)^2 - x^{2n} - 2x^n - 1 + n || = multiplied out
        n || (x^n + 1)^2 - x^{2n} - 2x^n - 1 + 2n || ! another rest
        a || a\frac{a^{n+1}-1}{a-1} - a\frac{a^{n+1}-a}{a-1} || = geometric sums
        x^{-n} || 1 + x^{-n} - 1 || = small powers beside 1
        0 || x^n - (x^n - x^{-n}) || ! what is left is small
        x^n || x^n + x^{-n} || ! a small term more
        \cosh^2 x - \sinh^2 x || 1 || = hyperbolic functions
        e^{100} || e^{100} + 1 || ! a small term more
        e^{100} + 1 || e^{100} - 1 || ! another sign of a small term
        e^{100} + 1 || 1 + e^{100} || = in another order
        \frac{e^{500}-1}{2} || \frac{e^{500}+1}{2} || ! within a fraction
        10^{50}\sqrt{2} + 1 || 10^{50}\sqrt{2} + 2 || ! a large root
        e^{200} + \sqrt{2} || e^{200} + \sqrt{3} || ! another small term
        e^{100} + i || e^{100} || ! a small imaginary part
        [0, e^{100} + 1] || [0, e^{100} + 2] || ! within an interval
        y = e^{100}x + 1 || y = e^{100}x + 2 || ! within an equation
        y = e^{100}x + 1 || y - 1 = e^{100}x || = an equation in another order
        \sinh 300 || \cosh 300 || ! functions that nearly agree
        3^{100000} + 1 || 3^{100000} + 2 || ! too far apart to compute
        3^{2n+1} + 2^{n+2} || 3 \cdot 9^n + 4 \cdot 2^n || = nothing cancels
    """,
}


def judged() -> list[tuple[str, str, str, bool, str]]:
    """Return the pairs as (kind, gold, answer, equal, why)."""
    found = []
    for kind, lines in TABLE.items():
        for line in lines.strip().splitlines():
            gold, answer, why = line.strip().split(" || ")
            found.append((kind, gold, answer, why[0] == "=", why[2:]))
    return found
