"""Rows of hierarchical Pitman-Yor processes, with a dictionary of restaurants whose tables are objects, and exact laws.

`write_row` takes the same random numbers in the same order as `up.sources.restaurant`. `row_probability` sums over
all ways to be seated, in fractions; it knows nothing of how the rows are drawn.
"""

import collections
import dataclasses
from collections.abc import Callable
from fractions import Fraction


@dataclasses.dataclass
class Table:
    dish: int
    size: int = 1


class Restaurant:
    """Guests in the order of their arrival, each as the table that he sits at."""

    def __init__(self, discount, concentration):
        self.discount, self.concentration = discount, concentration
        self.guests: list[Table] = []
        self.tables: list[Table] = []

    def seat(self, table: Table) -> None:
        self.guests.append(table)

    def open(self, dish: int) -> None:
        self.tables.append(Table(dish))
        self.guests.append(self.tables[-1])

    def seated_mass(self, dish):
        sizes = [sum(guest is table for guest in self.guests) for table in self.tables if table.dish == dish]
        return sum(sizes) - self.discount * len(sizes)

    def new_mass(self):
        return self.concentration + self.discount * len(self.tables)

    def predict(self, dish, parent):
        return (self.seated_mass(dish) + self.new_mass() * parent) / (self.concentration + len(self.guests))


class Franchise:
    """One process: a restaurant for every context, which is a tuple of tokens."""

    def __init__(self, process):
        self.process = process
        self.restaurants: dict[tuple[int, ...], Restaurant] = {}

    def line(self, history) -> list[Restaurant]:
        """The restaurants of the present context, from the root on."""
        context = ()
        line = [self._restaurant(context)]
        for lag in self.process.lags:
            if lag > len(history):
                break
            context = (*context, history[-lag])
            line.append(self._restaurant(context))
        return line

    def _restaurant(self, context):
        if context not in self.restaurants:
            depth = len(context)
            self.restaurants[context] = Restaurant(self.process.discounts[depth], self.process.concentrations[depth])
        return self.restaurants[context]

    def draw(self, history, uniform) -> int:
        return self._sit_down(self.line(history), uniform)

    def _sit_down(self, line, uniform) -> int:
        if not line:
            return self.any_symbol(uniform)
        *parents, restaurant = line
        chosen = int(uniform() * (restaurant.concentration + len(restaurant.guests)))
        if chosen < len(restaurant.guests):
            table = restaurant.guests[chosen]
            is_first = not any(guest is table for guest in restaurant.guests[:chosen])
            if not (is_first and uniform() < restaurant.discount):
                restaurant.seat(table)
                return table.dish
        dish = self._sit_down(parents, uniform)
        restaurant.open(dish)
        return dish

    def take(self, history, dish, uniform) -> None:
        """Seat a guest who has this dish already."""
        if dish not in self.process.alphabet:
            return
        line = self.line(history)
        predictions = [1 / len(self.process.alphabet)]
        for restaurant in line:
            predictions.append(restaurant.predict(dish, predictions[-1]))
        for restaurant, parent in zip(reversed(line), reversed(predictions[:-1]), strict=True):
            seated, new = restaurant.seated_mass(dish), restaurant.new_mass() * parent
            if uniform() * (seated + new) < seated:
                restaurant.seat(next(table for table in restaurant.tables if table.dish == dish))
                return
            restaurant.open(dish)

    def any_symbol(self, uniform) -> int:
        return self.process.alphabet[int(uniform() * len(self.process.alphabet))]


def write_row(plan, num_tokens: int, uniform: Callable[[], float]) -> list[int]:
    franchises = [Franchise(process) for process in plan.processes]
    row: list[int] = []
    distance = None
    for t in range(num_tokens):
        if t > 0 and plan.switch > 0 and uniform() < plan.switch:
            franchises.reverse()
        franchise = franchises[0]
        if distance is None and t > 0 and plan.copy_start > 0 and uniform() < plan.copy_start:
            distance = nearer_likelier(t, uniform())
        if distance is None:
            row.append(franchise.draw(row, uniform))
            continue
        token = row[-distance]
        if plan.mutation > 0 and uniform() < plan.mutation:
            token = franchise.any_symbol(uniform)
        if uniform() < plan.copy_stop:
            distance = None
        franchise.take(row, token, uniform)
        row.append(token)
    return row


def nearer_likelier(most: int, u: float) -> int:
    """A distance of 1 to `most`, each with probability proportional to its inverse."""
    total = sum(1 / k for k in range(1, most + 1))
    cumulated = 0.0
    for distance in range(1, most + 1):
        cumulated += 1 / distance
        if u * total < cumulated:
            return distance
    raise AssertionError


def row_probability(string, plan) -> Fraction:
    """The probability that one process writes the string, summed over all seatings and all distances of copies.

    A token that is drawn and its seat have the probability of the seating; a copied token has that of the copy, and its
    seat that of the seating given the token and how the others sit.
    """
    (process,) = plan.processes
    start, stop, mutation = (Fraction(value) for value in (plan.copy_start, plan.copy_stop, plan.mutation))
    states = {((), 0): Fraction(1)}  # how all sit, and from how far back a copy goes on, 0 for none
    for t, symbol in enumerate(string):
        contexts = [()]
        for lag in process.lags:
            if lag > t:
                break
            contexts.append((*contexts[-1], string[t - lag]))
        weights = [Fraction(1, distance) for distance in range(1, t + 1)]
        after: dict[tuple, Fraction] = collections.defaultdict(Fraction)
        for (sitting, going_on), weight in states.items():
            copying = {going_on: weight} if going_on else {}
            drawing = Fraction(0)
            if not going_on:
                starting = weight * start if t else Fraction(0)
                drawing = weight - starting
                copying = {k: starting * each / sum(weights) for k, each in enumerate(weights, 1)}
            seatings = list(_seatings(dict(sitting), contexts, symbol, process))
            total = sum(probability for probability, _ in seatings)
            for probability, seated in seatings:
                after[seated, 0] += drawing * probability
                for distance, copied in copying.items():
                    hit = (1 - mutation) * (string[t - distance] == symbol) + mutation / len(process.alphabet)
                    written = copied * hit * probability / total
                    after[seated, 0] += written * stop
                    after[seated, distance] += written * (1 - stop)
        states = {state: weight for state, weight in after.items() if weight}
    return sum(states.values(), Fraction(0))


def _seatings(state, contexts, symbol, process):
    """Yield (probability, state) for all ways in which a guest of the last context gets the symbol."""
    if not contexts:
        if symbol in process.alphabet:
            yield Fraction(1, len(process.alphabet)), tuple(sorted(state.items()))
        return
    depth, context = len(contexts) - 1, contexts[-1]
    a, b = Fraction(process.discounts[depth]), Fraction(process.concentrations[depth])
    tables = state.get(context, ())
    total = b + sum(size for _, size in tables)
    for place, (dish, size) in enumerate(tables):
        if dish == symbol:
            grown = tuple(sorted((*tables[:place], (dish, size + 1), *tables[place + 1 :])))
            yield (size - a) / total, tuple(sorted({**state, context: grown}.items()))
    for probability, above in _seatings(state, contexts[:-1], symbol, process):
        more = dict(above)
        more[context] = tuple(sorted((*more.get(context, ()), (symbol, 1))))
        yield (b + a * len(tables)) / total * probability, tuple(sorted(more.items()))
