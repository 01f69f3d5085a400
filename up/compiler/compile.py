"""The compiler: from a program to a network that computes it. This file is the table of contents.

    >>> from up.compiler.cases import load_program
    >>> compiled = compile_program(load_program("parity"))
    >>> compiled.network.sizes.heads
    2

Source: Shaw et al. 2025 (arXiv 2509.22445), B.5 and C.1, whose compiler (ALTA) writes NumPy arrays; the anatomy is that
of tracr (Lindner et al. 2023).

Deviation: of Shaw et al.; the query that is always 1 is a bias here, and takes no dimension of the residual.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from up.compiler import heads
from up.compiler.language import Program
from up.compiler.layout import Layout, lay_out
from up.compiler.mlp import Unit, mlp_units
from up.compiler.network import CompiledTransformer, Sizes
from up.compiler.validator import validate
from up.errors import InputError


@dataclass(frozen=True, kw_only=True)
class CompilerConfig:
    """How to compile.

    Attributes:
        scale: c, of queries and keys; the error of attention is about n e^(-c^2).
        tanh: values -1 and 1 for a network with tanh normalisation; then there are no numeric variables.
        written: what sublayers write under tanh, so that it saturates.
        width: of the residual; 0: as needed. What is not needed is 0.
        hidden: units of the MLP; 0: as needed.
        heads: 0: as needed.
        key_size: of queries and keys; 0: as needed.
        value_size: of values; 0: as needed.

    """

    scale: float = 10.0
    tanh: bool = False
    written: float = 10.0
    width: int = 0
    hidden: int = 0
    heads: int = 0
    key_size: int = 0
    value_size: int = 0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise InputError("the scale of attention is positive", received=self.scale, remedy="take 10")


@dataclass(frozen=True)
class Compiled:
    """A program, the network that computes it, and how the one lies in the other."""

    program: Program
    config: CompilerConfig
    layout: Layout
    units: tuple[Unit, ...]
    network: CompiledTransformer


def compile_program(program: Program, config: CompilerConfig | None = None) -> Compiled:
    """Write a program into the weights of a network, in float32 on the CPU.

    Args:
        program: which one.
        config: how; the defaults where None.

    Raises:
        InputError: it cannot be compiled, or it does not fit the sizes that the configuration gives.

    """
    config = config or CompilerConfig()
    validate(program, tanh=config.tanh)
    layout = lay_out(program, signed=config.tanh)
    written = config.written if config.tanh else 1.0
    units, bias = mlp_units(program, layout, written=written)
    network = CompiledTransformer(sizes_of(program, layout, units, config), tanh=config.tanh)
    write_embeddings(network, program, layout)
    heads.write_heads(network.attention, program, layout, scale=config.scale, written=written)
    write_mlp(network, units, bias)
    write_readout(network, program, layout)
    return Compiled(program, config, layout, units, network)


def sizes_of(program: Program, layout: Layout, units: tuple[Unit, ...], config: CompilerConfig) -> Sizes:
    """Return the sizes that a program needs, or the larger ones of the configuration."""
    needed = {
        "width": layout.width,
        "hidden": max(1, len(units)),
        "heads": max(1, len(program.heads)),
        "key_size": heads.key_size(program),
        "value_size": heads.value_size(program),
    }
    for name, least in needed.items():
        given = getattr(config, name)
        if given and given < least:
            raise InputError(
                f"program {program.name} does not fit a network of {name.replace('_', ' ')} {given}",
                received=given,
                remedy=f"give at least {least}",
            )
        needed[name] = given or least
    outputs = sum(len(layout.dimensions(name)) for name in program.outputs)
    return Sizes(vocabulary=len(program.vocabulary), outputs=outputs, window=heads.window(program), **needed)


@torch.no_grad()
def write_embeddings(network: CompiledTransformer, program: Program, layout: Layout) -> None:
    """Write the first values of all variables, a row for each token."""
    for row, token in enumerate(program.vocabulary):
        for variable in program.variables:
            values = torch.tensor(layout.encoded(variable, variable.start(token)))
            start = layout.start[variable.name]
            network.embedding.weight[row, start : start + len(values)] = values


@torch.no_grad()
def write_mlp(network: CompiledTransformer, units: tuple[Unit, ...], bias: Mapping[int, float]) -> None:
    """Write the hidden units and the bias of the second matrix; units beyond those needed stay 0."""
    for number, unit in enumerate(units):
        network.mlp_in.bias[number] = unit.bias
        for dimension, weight in unit.into.items():
            network.mlp_in.weight[number, dimension] = weight
        for dimension, weight in unit.out_of.items():
            network.mlp_out.weight[dimension, number] = weight
    for dimension, amount in bias.items():
        network.mlp_out.bias[dimension] = amount


@torch.no_grad()
def write_readout(network: CompiledTransformer, program: Program, layout: Layout) -> None:
    """Select the output variables, one after another."""
    dimensions = [dimension for name in program.outputs for dimension in layout.dimensions(name)]
    for row, dimension in enumerate(dimensions):
        network.readout.weight[row, dimension] = 1.0
