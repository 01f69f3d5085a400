"""How long a fresh buffer takes to deepen: the exact depth of a row after t batches."""

from itertools import islice

from theory.measures.buffer_depth import depth_distributions

distributions = list(
    islice(depth_distributions(buffer_rows=2760, source_batch=138, reset_rows=40), 101)
)
print("batches   at depth 0   mean depth")
for batches in (0, 10, 20, 40, 60, 100):
    distribution = distributions[batches]
    mean = sum(depth * probability for depth, probability in enumerate(distribution))
    print(f"{batches:7}   {float(distribution[0]):10.3f}   {float(mean):10.2f}")
