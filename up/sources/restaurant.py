"""Restaurants: a random hierarchical Pitman-Yor process writes each row, with copies and changes of the process.

Each process has an alphabet and, for every context of its last d tokens, a Chinese restaurant with discount a_d and
concentration b_d. With c customers at t tables, c_s and t_s of them having dish s, the next token is s with probability

    p_u(s) = (c_s - a_d t_s + (b_d + a_d t) p_parent(s)) / (b_d + c),

where the parent's context is shorter by its last lag and the root's parent is uniform over the alphabet. A new table
sends a customer to the parent (Teh 2006, A hierarchical Bayesian language model based on Pitman-Yor processes, sections
3 and 4; Wood et al. 2009, A stochastic memoizer for sequence data). So the rows are what counting with shared contexts
predicts best, as text and tables ask for. `RestaurantSource` has the distribution of everything that is drawn.

Who sits where costs no search: a customer draws one of those before him and joins his table, but who draws the first
of a table opens a new one with probability a_d. That gives each table its size less a_d, exactly. A copied token is
seated too, as if it had been drawn: at a new table with the probability that the process gives to it, knowing the token
and how the others sit. One that the process cannot write, of the other's alphabet, counts as context, but nobody sits.

The kernel `write_row` runs compiled where numba can be imported, and as plain Python elsewhere. Its
random numbers are integers below 2^53, its other numbers come of + - * / alone, and parameters of these and square
roots, all of which IEEE 754 rounds exactly: the tokens are the same. Limits: zlib decides at the band's edges, and
builds of zlib differ by a few bits; random numbers are multiples of about 2^-32; a row is written on the CPU.
"""

import dataclasses
import functools
import itertools
import math
import zlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from theory.compiling import can_compile, compile_function, is_switched_off
from up.config import require_at_most, require_not_negative, require_positive
from up.errors import InputError
from up.sources.base import RowSource

SYMBOLS = 256
_M1, _M2 = 4_294_967_087, 4_294_944_443
_MAX_DEPTH, _MAX_REDRAWS = 64, 1_000
_SHARES = ("max_discount", "lag_share", "copy_share", "mutated_share", "max_mutation", "switch_share", "outside_share")
_RANGES = ("concentration", "root_concentration", "copy_start", "copy_length")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Process:
    """One process: `alphabet`, the `lags` of its contexts in their order, and a_d and b_d for depths 0 to len(lags)."""

    alphabet: tuple[int, ...]
    lags: tuple[int, ...]
    discounts: tuple[float, ...]
    concentrations: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowPlan:
    """What is drawn before the tokens of a row.

    Attributes:
        processes: one, or two that take turns.
        switch: probability before each token but the first that the other process goes on.
        copy_start: probability at each token but the first, outside of a copy, that a copy starts; 0: never.
        copy_stop: probability after each copied token that the copy ends.
        mutation: probability of a copied token to be replaced by a uniform one of the alphabet.

    """

    processes: tuple[Process, ...]
    switch: float = 0.0
    copy_start: float = 0.0
    copy_stop: float = 1.0
    mutation: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class RestaurantSource(RowSource):
    """Rows of random hierarchical Pitman-Yor processes; every row draws all of this anew.

    Log-uniform in (l, h) means l (h / l)^U(0, 1). Choices between rows are independent of each other.

    Attributes:
        kind: `restaurant`.
        vocabulary_size: V, number of tokens.
        smallest_alphabet: the alphabet is a uniform subset of the vocabulary; its size is log-uniform in
            (smallest_alphabet, V + 1), rounded down.
        max_depth: depth uniform in 0 to max_depth; contexts are cut short where they would reach before the row.
        max_discount: a_d uniform in (0, max_discount) for every depth; at 0 the process is Dirichlet's.
        concentration: b_d log-uniform in this range for every depth above 0.
        root_concentration: b_0 log-uniform in this range.
        lag_share: share of rows whose lags are not 1, 2, 3, ... but distinct ones of 1 to max_depth in random order.
        copy_share: share of rows that copy; 0 turns copying off. A copy repeats what stands k tokens back, k = 1 to t
            with probability proportional to 1 / k, and may run into itself.
        copy_start: in these rows, probability that a copy starts at a token, log-uniform in this range.
        copy_length: their copies' length is geometric, of a mean that is log-uniform in this range of tokens.
        mutated_share: share of the copying rows that mutate copied tokens to uniform symbols of the alphabet ...
        max_mutation: ... each with a probability that is uniform in (0, max_mutation).
        switch_share: share of rows in which two processes, drawn as above, take turns; 0 turns switching off.
        shortest_stretch: their turns are geometric, of a mean log-uniform from this to half the row, in tokens; of
            this mean where half the row is less.
        band: a row whose raw deflate (zlib, level 9) is in this range of bits a token is kept.
        outside_share: probability that another row is kept; otherwise it is drawn again. 1 turns the band off.
        max_redraws: after so many the last row is kept, whatever it is.

    """

    kind: str = "restaurant"
    smallest_alphabet: int = 2
    max_depth: int = 8
    max_discount: float = 1.0
    concentration: tuple[float, float] = (0.02, 20.0)
    root_concentration: tuple[float, float] = (0.5, 200.0)
    lag_share: float = 0.4
    copy_share: float = 0.5
    copy_start: tuple[float, float] = (0.002, 0.2)
    copy_length: tuple[float, float] = (4.0, 200.0)
    mutated_share: float = 0.5
    max_mutation: float = 0.1
    switch_share: float = 0.25
    shortest_stretch: float = 20.0
    band: tuple[float, float] = (0.5, 7.8)
    outside_share: float = 0.25
    max_redraws: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.smallest_alphabet <= self.vocabulary_size:
            raise InputError(
                "source.smallest_alphabet is out of range",
                received=self.smallest_alphabet,
                remedy=f"use 2 to the vocabulary's {self.vocabulary_size}",
            )
        require_not_negative("source", max_depth=self.max_depth, max_redraws=self.max_redraws)
        require_at_most("source", max_depth=(self.max_depth, _MAX_DEPTH), max_redraws=(self.max_redraws, _MAX_REDRAWS))
        require_positive("source", shortest_stretch=self.shortest_stretch)
        for name in _SHARES:
            require_not_negative("source", **{name: getattr(self, name)})
            require_at_most("source", **{name: (getattr(self, name), 1)})
        for name in (*_RANGES, "band"):
            ends = getattr(self, name)
            if len(ends) != 2 or not 0 <= ends[0] <= ends[1] < math.inf:
                raise InputError(
                    f"source.{name} is no range", received=ends, remedy="give two numbers, the lower first"
                )
        for name in _RANGES:
            require_positive("source", **{name: getattr(self, name)[0]})
        require_at_most("source", copy_start=(self.copy_start[1], 1))
        if self.copy_length[0] < 1 or self.shortest_stretch < 1:
            raise InputError(
                "source.copy_length and source.shortest_stretch are means of one token or more",
                received=(self.copy_length[0], self.shortest_stretch),
                remedy="give 1 or more",
            )

    @property
    def description(self) -> str:
        """Kind and depth, such as `restaurant, depth 0 to 8`."""
        return f"{self.kind}, depth 0 to {self.max_depth}"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT; the generator gives each row its random numbers' first six words, and nothing else."""
        words_R6 = torch.randint(1, _M2, (num_rows, 6), generator=generator, device=generator.device).tolist()
        writer = RowWriter(num_tokens, max_depth=self.max_depth)
        tokens_RT = torch.empty(num_rows, num_tokens, dtype=torch.uint8)
        for row, words in enumerate(words_R6):
            tokens_RT[row] = torch.frombuffer(bytearray(self.row(writer, words)), dtype=torch.uint8)
        return tokens_RT.to(generator.device)

    def row(self, writer: "RowWriter", words: list[int]) -> bytes:
        """Return one row, drawn again until the band, a coin or the bound on redraws keeps it."""
        row = b""
        for _ in range(self.max_redraws + 1):
            row = writer.write(self.plan(writer.num_tokens, words), words)
            if self.outside_share == 1 or self.band[0] <= deflate_bits(row) <= self.band[1]:
                break
            if uniform(words) < self.outside_share:
                break
        return row

    def plan(self, num_tokens: int, words: list[int]) -> RowPlan:
        """Draw the parameters of a row."""
        lagged = uniform(words) < self.lag_share
        copying = uniform(words) < self.copy_share
        switching = uniform(words) < self.switch_share
        processes = tuple(self._process(lagged, words) for _ in range(1 + switching))
        longest_stretch = max(self.shortest_stretch, num_tokens / 2)
        plan = RowPlan(
            processes=processes,
            switch=1 / _log_uniform(self.shortest_stretch, longest_stretch, words) if switching else 0.0,
        )
        if not copying:
            return plan
        return dataclasses.replace(
            plan,
            copy_start=_log_uniform(*self.copy_start, words),
            copy_stop=1 / _log_uniform(*self.copy_length, words),
            mutation=self.max_mutation * uniform(words) if uniform(words) < self.mutated_share else 0.0,
        )

    def _process(self, lagged: bool, words: list[int]) -> Process:
        size = int(_log_uniform(self.smallest_alphabet, self.vocabulary_size + 1, words))
        depth = int(uniform(words) * (self.max_depth + 1))
        above = tuple(_log_uniform(*self.concentration, words) for _ in range(depth))
        return Process(
            alphabet=_sample(range(self.vocabulary_size), size, words),
            lags=_sample(range(1, self.max_depth + 1), depth, words) if lagged else tuple(range(1, depth + 1)),
            discounts=tuple(self.max_discount * uniform(words) for _ in range(depth + 1)),
            concentrations=(_log_uniform(*self.root_concentration, words), *above),
        )


class RowWriter:
    """Buffers for rows of one length, and the function that fills them.

    Args:
        num_tokens: T, tokens a row.
        max_depth: the deepest process.
        compiled: whether to compile; if None, where that is possible.

    """

    def __init__(self, num_tokens: int, *, max_depth: int, compiled: bool | None = None) -> None:
        self.num_tokens = num_tokens
        kernel = None if compiled is False else compiled_kernel()
        assert kernel is not None or not compiled, "numba is missing"
        self._kernel, self._compiled = kernel or write_row, kernel is not None
        levels, slots, restaurants = max_depth + 1, _table_size(num_tokens, max_depth), num_tokens * max_depth + 2
        buffer = self._buffer
        self._tokens, self._words = buffer("uint8", num_tokens), buffer("int64", 6)
        self._alphabets, self._members = buffer("int64", 2, SYMBOLS), buffer("int64", 2, SYMBOLS)
        self._sizes, self._depths, self._lags = buffer("int64", 2), buffer("int64", 2), buffer("int64", 2, levels)
        self._discounts, self._concentrations = buffer("float64", 2, levels), buffer("float64", 2, levels)
        self._harmonic = buffer("float64", num_tokens)
        self._harmonic[:] = list(itertools.accumulate(1 / distance for distance in range(1, num_tokens + 1)))
        keys, below, customers, tables = (buffer(dtype, slots) for dtype in ("int64", "int32", "int32", "int32"))
        guests = buffer("int32", 4 * num_tokens * levels)  # stretches that were left take at most as much as the others
        first_guest, room, num_guests, num_tables = (buffer("int32", restaurants) for _ in range(4))
        path, opened, parent = buffer("int64", levels), buffer("int64", levels), buffer("float64", levels)
        self._scratch = (keys, below, customers, tables, guests, first_guest, room, num_guests, num_tables)
        self._by_depth = (path, opened, parent)

    def write(self, plan: RowPlan, words: list[int]) -> bytes:
        """Return the row of a plan, and leave `words` where its random numbers end."""
        for index, process in enumerate(plan.processes):
            size, depth = len(process.alphabet), len(process.lags)
            self._sizes[index], self._depths[index] = size, depth
            self._alphabets[index][:size] = process.alphabet
            symbols = set(process.alphabet)
            self._members[index][:] = [symbol in symbols for symbol in range(SYMBOLS)]
            self._lags[index][:depth] = process.lags
            self._discounts[index][: depth + 1] = process.discounts
            self._concentrations[index][: depth + 1] = process.concentrations
        self._words[:] = words
        self._kernel(
            self._tokens,
            self._words,
            *(self._alphabets, self._members, self._sizes),
            *(self._lags, self._depths, self._discounts, self._concentrations),
            *(plan.switch, plan.copy_start, plan.copy_stop, plan.mutation, self._harmonic),
            _table_size(self.num_tokens, max(len(process.lags) for process in plan.processes)) - 1,
            *self._scratch,
            *self._by_depth,
        )
        words[:] = (int(word) for word in self._words)
        return bytes(self._tokens)

    def _buffer(self, dtype: str, *shape: int) -> Any:
        if self._compiled:
            import numpy as np

            return np.zeros(shape, dtype)
        return [0] * shape[0] if len(shape) == 1 else [[0] * shape[1] for _ in range(shape[0])]


@functools.cache
def compiled_kernel() -> Callable[..., None] | None:
    """Return `write_row` compiled by numba, or None where numba is missing, unfit or switched off."""
    if not can_compile() or is_switched_off():  # lists are faster than arrays for plain Python
        return None
    return compile_function(write_row, uniform, _find)


def uniform(words: Any) -> float:
    """Return the next random number above 0 and below 1, and advance the six words of its state.

    MRG32k3a (L'Ecuyer 1999, Good parameters and implementations for combined multiple recursive random number
    generators, figure I): two recursions modulo primes near 2^32; nothing leaves the range of -2^53 to 2^53.

    >>> words = [12345] * 6
    >>> uniform(words), uniform(words)
    (0.12701112204657714, 0.3185275653967945)
    """
    first = (1_403_580 * words[1] - 810_728 * words[0]) % _M1
    second = (527_612 * words[5] - 1_370_589 * words[3]) % _M2
    words[0], words[1], words[2] = words[1], words[2], first
    words[3], words[4], words[5] = words[4], words[5], second
    difference = first - second
    if difference <= 0:
        difference += _M1
    return difference / (_M1 + 1)


def deflate_bits(row: bytes) -> float:
    """Return the bits a token of a row's raw deflate stream at level 9."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return 8 * len(packer.compress(row) + packer.flush()) / len(row)


def _log_uniform(low: float, high: float, words: list[int]) -> float:
    """Return low (high / low)^u, a product of square roots of square roots, one for each of 24 binary digits of u."""
    u, value, factor = uniform(words), low, high / low
    for _ in range(24):
        u, factor = 2 * u, math.sqrt(factor)
        if u >= 1:
            u, value = u - 1, value * factor
    return min(value, high)


def _sample(population: range, size: int, words: list[int]) -> tuple[int, ...]:
    """Return distinct members in random order (Fisher and Yates)."""
    members = list(population)
    for place in range(size):
        other = place + int(uniform(words) * (len(members) - place))
        members[place], members[other] = members[other], members[place]
    return tuple(members[:size])


def _table_size(num_tokens: int, depth: int) -> int:
    """Return a power of two that the slots of a row fill to less than half: each token takes up to 2 depth + 1."""
    return 1 << (2 * num_tokens * (2 * depth + 1)).bit_length()


def _find(keys: Any, mask: int, key: int, below: Any, customers: Any, tables: Any) -> int:
    """Return the slot of a key above 0, which is made, and its entries 0, where there is none (open addressing)."""
    slot = (key * 2_654_435_761 >> 15) & mask
    while keys[slot] != key:
        if keys[slot] == 0:
            keys[slot] = key
            below[slot] = customers[slot] = tables[slot] = 0
            break
        slot = (slot + 1) & mask
    return slot


def write_row(
    tokens: Any,
    words: Any,
    alphabets: Any,
    members: Any,
    sizes: Any,
    lags: Any,
    depths: Any,
    discounts: Any,
    concentrations: Any,
    switch: float,
    copy_start: float,
    copy_stop: float,
    mutation: float,
    harmonic: Any,
    mask: int,
    keys: Any,
    below: Any,
    customers: Any,
    tables: Any,
    guests: Any,
    first_guest: Any,
    room: Any,
    num_guests: Any,
    num_tables: Any,
    path: Any,
    opened: Any,
    parent: Any,
) -> None:
    """Fill `tokens`; plain on lists, compiled on arrays. Restaurants 0 and 1 are the roots of the two processes.

    Args:
        tokens: receives the row.
        words: state of the random numbers.
        alphabets: of each process.
        members: of each process, whether a symbol is in its alphabet.
        sizes: of the alphabets.
        lags: of each process, in the order of its contexts.
        depths: of the processes.
        discounts: a_d of each process.
        concentrations: b_d of each process.
        switch: see `RowPlan`, as for the next three.
        copy_start: 0 for never.
        copy_stop: after each copied token.
        mutation: of each copied token.
        harmonic: 1 + 1/2 + ... + 1/k at k - 1.
        mask: slots in use of the hash table, a power of two, less 1.
        keys: scratch: 256 r + s + 1 for restaurant r and symbol s, 0 where the slot is free.
        below: scratch by slot: the restaurant whose context is longer by s, 0 if there is none.
        customers: scratch by slot: c_s.
        tables: scratch by slot: t_s.
        guests: scratch: for each customer in order 2 s, and 1 more if he opened a table; each restaurant has a stretch.
        first_guest: scratch by restaurant: where its stretch starts.
        room: scratch by restaurant: how long its stretch is.
        num_guests: scratch by restaurant: c.
        num_tables: scratch by restaurant: t.
        path: scratch by depth: the restaurants of the present context.
        opened: scratch by depth: whether the present customer opens a table.
        parent: scratch by depth: what the parent predicts.

    """
    for slot in range(mask + 1):
        keys[slot] = 0
    for root in range(2):
        room[root] = num_guests[root] = num_tables[root] = 0
    restaurants, guests_end, process, distance = 2, 0, 0, 0
    for t in range(len(tokens)):
        if t > 0 and switch > 0 and uniform(words) < switch:
            process = 1 - process
        size, discount, concentration = sizes[process], discounts[process], concentrations[process]

        path[0], depth = process, 0
        while depth < depths[process] and lags[process][depth] <= t:
            key = SYMBOLS * path[depth] + tokens[t - lags[process][depth]] + 1
            slot = _find(keys, mask, key, below, customers, tables)
            if below[slot] == 0:
                below[slot] = restaurants
                room[restaurants] = num_guests[restaurants] = num_tables[restaurants] = 0
                restaurants += 1
            depth += 1
            path[depth] = below[slot]

        if distance == 0 and t > 0 and copy_start > 0 and uniform(words) < copy_start:
            place, low, high = uniform(words) * harmonic[t - 1], 0, t - 1
            while low < high:  # the first k with 1 + ... + 1/k above the place
                middle = (low + high) // 2
                if harmonic[middle] > place:
                    high = middle
                else:
                    low = middle + 1
            distance = low + 1

        token, level = -1, depth
        if distance > 0:
            token = int(tokens[t - distance])
            if mutation > 0 and uniform(words) < mutation:
                token = int(alphabets[process][int(uniform(words) * size)])
            if uniform(words) < copy_stop:
                distance = 0
            if members[process][token]:
                p = 1 / size
                for d in range(depth + 1):
                    r = path[d]
                    slot = _find(keys, mask, SYMBOLS * r + token + 1, below, customers, tables)
                    parent[d] = p
                    seated = customers[slot] - discount[d] * tables[slot]
                    p = (seated + (concentration[d] + discount[d] * num_tables[r]) * p) / (
                        concentration[d] + num_guests[r]
                    )
                while level >= 0:
                    r = path[level]
                    slot = _find(keys, mask, SYMBOLS * r + token + 1, below, customers, tables)
                    seated = customers[slot] - discount[level] * tables[slot]
                    new = (concentration[level] + discount[level] * num_tables[r]) * parent[level]
                    opened[level] = uniform(words) * (seated + new) >= seated
                    level -= 1
                    if not opened[level + 1]:
                        break
        else:
            while level >= 0 and token < 0:
                r = path[level]
                opened[level] = 1
                chosen = int(uniform(words) * (concentration[level] + num_guests[r]))
                if chosen < num_guests[r]:
                    guest = guests[first_guest[r] + chosen]
                    if guest % 2 == 0 or uniform(words) >= discount[level]:
                        token, opened[level] = int(guest // 2), 0
                level -= 1
            if token < 0:
                token = int(alphabets[process][int(uniform(words) * size)])
        tokens[t] = token

        for d in range(level + 1, depth + 1):
            r = path[d]
            if num_guests[r] == room[r]:  # move to a stretch twice as long
                for guest in range(num_guests[r]):
                    guests[guests_end + guest] = guests[first_guest[r] + guest]
                first_guest[r] = guests_end
                room[r] = 2 * max(1, room[r])
                guests_end += room[r]
            guests[first_guest[r] + num_guests[r]] = 2 * token + opened[d]
            num_guests[r] += 1
            num_tables[r] += opened[d]
            slot = _find(keys, mask, SYMBOLS * r + token + 1, below, customers, tables)
            customers[slot] += 1
            tables[slot] += opened[d]
