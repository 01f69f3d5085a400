"""The first symbols of a string, and which distributions over them a measure with open mass allows.

    y = the first n symbols of x$,    p(y) = sum of p(x) over the strings x that begin so

A string that is shorter than n is known whole, with its end `$`; of a longer one n bits are known. There are finitely
many such beginnings, however long the strings are, and the divergence of them is the sum of the first n terms D_0, ...,
D_{n-1} of Theorem 4.2 (the chain rule).

A measure under a bound has `unresolved` mass: runs that were cut off. On the unbounded machine each of them writes some
string or none. Those that halt have the distribution p = (lower + u) / (1 - unresolved + |u|) for some u >= 0 with
|u| <= unresolved. These p, all together, are exactly the distributions with p >= lower:

    p >= lower, since |u| <= unresolved; and if p >= lower sums to 1, then u = p - lower has |u| = unresolved.

They are the convex hull of the corners lower + unresolved at one y. So a convex function of p, such as KL(p || q), is
greatest at a corner.

Source: Bloem 2025 (arXiv 2506.20057), section 4.2; Cover and Thomas 2006, section 2.5 (chain rule).
Limits: a cut-off run that has written something can only go on from there; this is not used, so that the set is larger
than what could be proved.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from theory.errors import InputError
from theory.measures.density import STRING_END
from theory.measures.measure import ZERO, Measure
from theory.numbers.bit_strings import BitString, strings


def beginning(x: BitString, symbols: int) -> str:
    """Return the first symbols of x$.

    >>> beginning("01", 2), beginning("01", 3)
    ('01', '01$')
    """
    return (x + STRING_END)[:symbols]


def beginnings(symbols: int) -> Iterator[str]:
    """Yield all beginnings of so many symbols at most: whole strings with their ends, and the longest without.

    >>> list(beginnings(1)), list(beginnings(2))
    (['$', '0', '1'], ['$', '0$', '1$', '00', '01', '10', '11'])

    Raises:
        InputError: no symbols.

    """
    if symbols < 1:
        raise InputError("a beginning has a symbol", received=symbols, remedy="give 1 or more")
    yield from (beginning(x, symbols) for x in strings(symbols))


def of_beginnings(measure: Measure, symbols: int) -> Measure:
    """Return the measure of the first symbols; what is unresolved stays so.

    >>> known = of_beginnings(Measure({"011": Fraction(1, 4), "010": Fraction(1, 4)}, Fraction(1, 2)), 2)
    >>> dict(known.mass), known.unresolved
    ({'01': Fraction(1, 2)}, Fraction(1, 2))
    """
    mass: dict[str, Fraction] = {}
    for x, p in measure.mass.items():
        y = beginning(x, symbols)
        mass[y] = mass.get(y, ZERO) + p
    return Measure(mass, measure.unresolved)


def corners(measure: Measure, symbols: int) -> Iterator[Mapping[str, Fraction]]:
    """Yield the corners of the set of distributions that a measure of beginnings allows: all open mass on one of them.

    >>> [{y: str(p) for y, p in each.items()} for each in corners(Measure({"0": Fraction(3, 4)}, Fraction(1, 4)), 1)]
    [{'0': '3/4', '$': '1/4'}, {'0': '1'}, {'0': '3/4', '1': '1/4'}]
    """
    for y in beginnings(symbols):
        yield {**measure.mass, y: measure.lower(y) + measure.unresolved}


def halting(measure: Measure) -> Measure:
    """Return the distribution of what is known to be written, given that it is: the masses divided by their sum.

    Raises:
        InputError: nothing is known to halt.

    """
    total = measure.total
    if not total:
        raise InputError("nothing halts under the bound", remedy="raise the bound")
    return Measure({x: p / total for x, p in measure.mass.items()})
