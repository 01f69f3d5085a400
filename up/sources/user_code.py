"""What code of the user's own may do wrong when it draws sequences, told in one line."""

import contextlib
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from up.errors import InputError
from up.memory import is_out_of_memory
from up.sources.buffer import token_dtype


def checked_tokens(
    tokens_RT: Any, *, shape: tuple[int, ...], vocabulary_size: int, device: torch.device, name: str
) -> Tensor:
    """Return what a user's source drew as it is stored (`token_dtype`), on a device, or say what is wrong with it.

    Args:
        tokens_RT: what was returned, of any type.
        shape: what was asked for.
        vocabulary_size: tokens lie below.
        device: where they are wanted.
        name: of the source.

    Raises:
        InputError: no tensor, no whole numbers, another shape, or a token outside the vocabulary.
    """
    if not isinstance(tokens_RT, Tensor):
        problem, received, remedy = "returned no tensor", type(tokens_RT).__name__, "return a torch.Tensor"
    elif tokens_RT.is_floating_point() or tokens_RT.is_complex() or tokens_RT.dtype == torch.bool:
        problem, received, remedy = "returned no whole numbers", str(tokens_RT.dtype), "return e.g. torch.uint8"
    elif tokens_RT.layout != torch.strided or tokens_RT.is_meta:
        problem, received, remedy = "returned no dense tensor", str(tokens_RT.layout), "return one with its values"
    elif tuple(tokens_RT.shape) != shape:
        problem, received, remedy = "returned another shape", tuple(tokens_RT.shape), f"return {shape}"
    elif tokens_RT.numel() and not 0 <= int(tokens_RT.min()) <= int(tokens_RT.max()) < vocabulary_size:
        outside = int(tokens_RT.min()) if int(tokens_RT.min()) < 0 else int(tokens_RT.max())
        problem, received = "returned a token outside the vocabulary", outside
        remedy = f"return tokens from 0 to {vocabulary_size - 1}"
    else:
        return tokens_RT.to(device=device, dtype=token_dtype(vocabulary_size))
    raise InputError(f"the source {name} {problem}", received=received, remedy=remedy)


@contextlib.contextmanager
def blaming(name: str, path: str, *, remedy: str = "correct the file") -> Iterator[None]:
    """Tell in one line what a user's code raises, and where; anywhere else it would be a bug of this program.

    What it prints goes to stderr, since stdout is for results.

    Args:
        name: of the source.
        path: file in which a line is to be named.
        remedy: what the user can do.

    Raises:
        InputError: for whatever exception the code raises, unless memory ran out.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, SyntaxError):
            line = error.lineno
        else:
            line = next((frame.lineno for frame in reversed(frames) if frame.filename == path), None)
        at = "" if line is None else f" at line {line}"
        raise InputError(f"the source {name} raised {type(error).__name__}{at}: {error}", remedy=remedy) from error
