"""The same mistake in interpreter and network: no neighbour is left of START."""

from up.compiler.checked import run
from up.compiler.compile import compile_program
from up.compiler.interpreter import interpret
from up.compiler.language import Program, Relative, Rule, Set, binary
from up.compiler.undefined import UndefinedValueError

bit, left = binary("bit", {"1": 1}), Relative("left", "bit", -1)
spread = Rule({"left": 1, "bit": 0}, (Set("bit", 1),))
program = Program(
    "spread",
    alphabet=("0", "1"),
    variables=(bit,),
    heads=(left,),
    rules=(spread,),
    outputs=("bit",),
    layers=lambda length: length,
)
try:
    interpret(program, "010")
except UndefinedValueError as error:
    print(f"interpreter: {error}")
_, errors, _ = run(compile_program(program), ["010"])
print(f"network: {errors[0]}")
