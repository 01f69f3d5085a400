"""A machine, a bound and a program become a function from inputs to logits."""

from theory.machines.machine import Bound
from theory.machines.prefix_machines import load_prefix_machine
from up.compiler.zmap import exact_logits, interpreted_logits, mapping_fn, zmap

machine = load_prefix_machine("rational")
mapped = zmap(machine, Bound(time=24, space=10), "010101100")
function = mapping_fn(mapped)
for given in ("", "1", "11"):
    print("input        ", given or "ε")
    print("  machine    ", *exact_logits(mapped, given))
    print("  interpreter", *interpreted_logits(mapped, given))
    print("  network    ", *function(given))
