"""The public names of `import up`: each is there, is what its module says, and costs nothing until it is used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import up


def imports_for_type_checkers() -> dict[str, str]:
    """Name to module, from the block that only type checkers see."""
    (block,) = (node for node in ast.parse(Path(up.__file__).read_text()).body if isinstance(node, ast.If))
    return {alias.name: node.module for node in block.body for alias in node.names}


def test_what_is_imported_is_what_type_checkers_see():
    assert imports_for_type_checkers() == up._HOME


@pytest.mark.parametrize("name", [name for name in up.__all__ if name != "__version__"])
def test_every_name_is_that_of_its_module(name):
    assert getattr(up, name) is getattr(importlib.import_module(up._HOME[name]), name)
    assert name in dir(up)


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'up' has no attribute 'nothing'"):
        _ = up.nothing


def test_importing_up_imports_nothing_heavy():
    program = "import sys, up; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_five_lines_to_a_gradient_step():
    config = up.configure("tiny", ["model.width=16", "model.depth=1"])
    state = up.TrainingState(config.resolve())
    before = state.model.head.weight.clone()
    assert 0 < state.train_step().loss_bits < 9
    assert not torch.equal(state.model.head.weight, before)


def test_a_configuration_that_leaves_something_open_is_an_input_error():
    with pytest.raises(up.InputError, match=r"leaves open.* training\.microbatch.*resolve it first"):
        up.TrainingState(up.configure("tiny"))
