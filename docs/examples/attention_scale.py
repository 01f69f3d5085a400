"""How far a sorting network is from exact, by the scale c of its attention."""

from up.compiler.agreement import compare
from up.compiler.cases import load_program
from up.compiler.compile import CompilerConfig, compile_program

print(" c   largest error in the residual")
for scale in (2.0, 3.0, 4.0, 5.0, 10.0):
    compiled = compile_program(load_program("sort"), CompilerConfig(scale=scale))
    found = compare(compiled, ["3102", "2222", "0321"])
    verdict = "right" if found.agree else "wrong"
    print(f"{scale:2.0f}   {found.distance:.0e}   {verdict}")
