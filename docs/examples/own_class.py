"""A class of three machines: a fair coin, a biased one, and a constant."""

from theory import Bound, FunctionMachine, Mixture, ModelClass, Tape


def fair(tape: Tape) -> None:
    """Write a coin flip."""
    tape.write(tape.read())


def biased(tape: Tape) -> None:
    """Write 1 with probability 1/4."""
    tape.write(tape.read() & tape.read())


def one(tape: Tape) -> None:
    """Write 1."""
    tape.write(1)


MACHINES = [FunctionMachine(f.__name__, f) for f in (fair, biased, one)]
COINS = ModelClass.of("coins", MACHINES, bound=Bound(time=8, space=8), max_length=1)

if __name__ == "__main__":
    for x, mass in Mixture(COINS).measure("").mass.items():
        print(f"m_C({x}) = {mass}")
