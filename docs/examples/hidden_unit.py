"""One rule of parity in the weights of the MLP."""

from own_program import PARITY
from up.compiler.compile import compile_program

compiled = compile_program(PARITY)
place = {dimension: name for name, dimension in compiled.layout.start.items()}
unit = compiled.units[0]
print("literals ", dict(unit.literals))
print("into     ", {place[d]: weight for d, weight in unit.into.items()})
print("bias     ", unit.bias)
print("out of   ", {place[d]: weight for d, weight in unit.out_of.items()})
