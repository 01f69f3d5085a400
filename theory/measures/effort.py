"""How much there is to go through, estimated before any of it is done.

The tree of a machine's programs can be huge, and its size is not known beforehand. It can be estimated without walking
it: a run on coin flips ends at a leaf of depth d with probability 2^-d, so that the mean of 2^d over such runs is the
number of leaves, and the mean of 2^d times the steps of the run is what all runs take together. A density goes through
the prefixes of its length, all of them at most. Source: Knuth 1975, "Estimating the efficiency of backtrack programs".
Limits: a few probes, drawn with a fixed seed; the mean is right and the spread may be large. Machines are taken at even
distances from the class; one that raises is left to the real run.
"""

import random
from fractions import Fraction

from theory.machines.classes import ModelClass
from theory.machines.machine import Machine
from theory.measures.density import Density

_MEMBERS, _PROBES = 48, 480
_MOST_PROBE_STEPS = 200_000
_RUN_STEPS = 10
"""Starting a run and adding up what it wrote cost about as much as so many steps."""


def expected_steps(model_class: ModelClass, condition_bits: int) -> int:
    """Return about how many steps all runs of all members take, on all conditions of up to so many bits.

    >>> from theory.machines.mealy import mealy_class
    >>> expected_steps(mealy_class(1), 0) < expected_steps(mealy_class(6), 6) < expected_steps(mealy_class(20), 20)
    True
    """
    generator = random.Random(0)
    total = Fraction(0)
    for reads, conditions in ((True, (2 << condition_bits) - 1), (False, 1)):
        every = [member for member in model_class.members if member.reads_condition == reads]
        prefixes = (2 << min(member.length, 64) for member in every if isinstance(member, Density))
        total += conditions * _RUN_STEPS * sum(prefixes)
        members = [member for member in every if not isinstance(member, Density)]
        if members:
            total += len(members) * conditions * _mean_steps(members, model_class, condition_bits, generator)
    return int(total)


def _mean_steps(
    members: list[Machine], model_class: ModelClass, condition_bits: int, generator: random.Random
) -> Fraction:
    """Return the mean of the steps that one member takes on one condition, over some of them."""
    bound, found, spent, probes = model_class.bound, Fraction(0), 0, 0
    probed = members[:: -(-len(members) // _MEMBERS)]
    probed *= -(-_PROBES // len(probed))
    for member in probed:
        program, condition = _coin_flips(bound.time + 1, generator), _coin_flips(condition_bits, generator)
        try:
            run = member.run(program, condition if member.reads_condition else "", bound)
            found += (run.steps + _RUN_STEPS) << run.bits_read
            spent += run.steps
        except (Exception, SystemExit):  # the real run tells of it
            return Fraction(_RUN_STEPS)
        probes += 1
        if spent > _MOST_PROBE_STEPS:
            break
    return found / probes


def _coin_flips(count: int, generator: random.Random) -> str:
    return format(generator.getrandbits(count), f"0{count}b") if count else ""
