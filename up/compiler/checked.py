"""Run a compiled network and read its variables, noticing what is undefined.

Attention is looked at before its softmax: a score above c^2 / 2 is a selected position. Where a head selects none, or
several, and a hidden unit of a rule that reads it would fire if that literal held, the run is in error: the same error
as the interpreter's.

Shape suffixes: as in `up.compiler.network`, with R for hidden units of rules.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from up.compiler.compile import Compiled
from up.compiler.language import Average, Kind
from up.compiler.undefined import UndefinedValueError, undefined_value
from up.device import single_thread

Floats = dict[str, np.ndarray]
"""Variables by name, each (B, T): what the residual says, discrete ones rounded to the nearest value."""


def token_numbers(compiled: Compiled, inputs: Sequence[Sequence[str]]) -> Tensor:
    """Return inputs of one length as (B, T) numbers of tokens, with those that stand before and after each.

    Raises:
        InputError: a token that the program does not know.

    """
    numbers = {token: number for number, token in enumerate(compiled.program.vocabulary)}
    rows = [[numbers[token] for token in compiled.program.tokens(given)] for given in inputs]
    return torch.tensor(rows, dtype=torch.long, device=compiled.network.embedding.weight.device)


def run_steps(
    compiled: Compiled,
    inputs: Sequence[Sequence[str]],
    layers: int | None = None,
    errors: list[UndefinedValueError | None] | None = None,
) -> Iterator[Tensor]:
    """Yield the residual, (B, T, D), before the first layer and after each; first errors go into `errors`.

    Raises:
        InputError: a token that the program does not know.

    """
    network = compiled.network
    found: list[UndefinedValueError | None] = [None] * len(inputs) if errors is None else errors
    with torch.no_grad():
        x_BTD = network.embedding(token_numbers(compiled, inputs))
        yield x_BTD
        for layer in range(1, (compiled.program.layers(len(inputs[0])) if layers is None else layers) + 1):
            seen_BTD = network.attend(x_BTD)
            _record(compiled, x_BTD, seen_BTD, layer, found)
            x_BTD = network.apply_rules(seen_BTD)
            yield x_BTD


def run(
    compiled: Compiled, inputs: Sequence[Sequence[str]], layers: int | None = None
) -> tuple[Floats, tuple[UndefinedValueError | None, ...], float]:
    """Return the variables after the last layer, the error of each input, and how far the residual is from exact.

    The distance is the largest one, over the inputs without error, between a discrete value in the residual and the
    numbers that stand for it.
    """
    errors: list[UndefinedValueError | None] = [None] * len(inputs)
    with single_thread():
        *_, last_BTD = run_steps(compiled, inputs, layers, errors)
    whole = np.array([error is None for error in errors])
    values, distance = read_variables(compiled, last_BTD, whole)
    return values, tuple(errors), distance


def read_variables(compiled: Compiled, x_BTD: Tensor, rows: np.ndarray | None = None) -> tuple[Floats, float]:
    """Return the variables that a residual holds, and how far it is from exact in some of the rows."""
    values: Floats = {}
    distance = 0.0
    layout = compiled.layout
    residual_BTD = x_BTD.double().cpu().numpy()
    for variable in compiled.program.variables:
        dimensions = layout.dimensions(variable.name)
        part_BTN = residual_BTD[..., dimensions.start : dimensions.stop]
        if variable.kind is Kind.NUMERIC:
            values[variable.name] = part_BTN[..., 0]
            continue
        allowed = [0, *variable.values] if variable.kind is Kind.SIGN else list(variable.values)
        codes_VN = np.array([layout.encoded(variable, value) for value in allowed])
        away_BTV = np.abs(part_BTN[..., None, :] - codes_VN).max(axis=-1)
        values[variable.name] = np.array(allowed)[away_BTV.argmin(axis=-1)]
        nearest_BT = away_BTV.min(axis=-1)
        counted = nearest_BT if rows is None else nearest_BT[rows]
        distance = max(distance, float(counted.max(initial=0.0)))
    return values, distance


def _record(
    compiled: Compiled, x_BTD: Tensor, seen_BTD: Tensor, layer: int, errors: list[UndefinedValueError | None]
) -> None:
    """Note the first error of each row that has none yet."""
    program, layout, network = compiled.program, compiled.layout, compiled.network
    if not program.heads:
        return
    scores_BHTS = network.attention.scores(x_BTD)[:, : len(program.heads)]
    count_BHT = (scores_BHTS > compiled.config.scale**2 / 2).sum(dim=-1)
    averages = torch.tensor([isinstance(head, Average) for head in program.heads], device=x_BTD.device)
    undefined_BHT = torch.where(averages[:, None], count_BHT == 0, count_BHT != 1)
    if not undefined_BHT.any():
        return
    rules = sum(unit.literals is not None for unit in compiled.units)
    into_RD, bias_R = network.mlp_in.weight[:rules], network.mlp_in.bias[:rules]
    best_BTR = seen_BTD @ into_RD.T + bias_R
    parts = [slice(d.start, d.stop) for d in (layout.dimensions(head.name) for head in program.heads)]
    for number, (head, part) in enumerate(zip(program.heads, parts, strict=True)):
        read_BTR = seen_BTD[..., part] @ into_RD[:, part].T
        most_R = _most(into_RD[:, part], signed=layout.signed, kind=layout.read[head.name].kind)
        best_BTR = torch.where(undefined_BHT[:, number, :, None], best_BTR - read_BTR + most_R, best_BTR)
    fires_BTR = best_BTR > 0.5
    copied = {copy.source for copy in program.copies}
    wrong_BTH = undefined_BHT.transpose(1, 2).clone()
    for number, (head, part) in enumerate(zip(program.heads, parts, strict=True)):
        if head.name not in copied:
            reads_R = (into_RD[:, part] != 0).any(dim=1)
            wrong_BTH[..., number] &= (fires_BTR & reads_R).any(dim=-1)
    for row in torch.nonzero(wrong_BTH.flatten(1).any(dim=1)).flatten().tolist():
        if errors[row] is None:
            position, number = torch.nonzero(wrong_BTH[row])[0].tolist()
            selected = int(count_BHT[row, number, position])
            errors[row] = undefined_value(program, number, layer=layer, position=position, selected=selected)


def _most(into_RN: Tensor, *, signed: bool, kind: Kind) -> Tensor:
    """Return what literals on a head add to each unit where they hold, (R)."""
    if signed or kind is Kind.SIGN:
        return into_RN.abs().sum(dim=1)
    return into_RN.clamp(min=0).sum(dim=1)
