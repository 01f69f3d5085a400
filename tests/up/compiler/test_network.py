"""The network is an ordinary module: it trains, saves, masks padding, and has only the weights that it says."""

import torch
from torch.nn import functional

from up.compiler.cases import load_program
from up.compiler.checked import run_steps, token_numbers
from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.network import CompiledTransformer, Sizes


def test_all_layers_share_one_set_of_weights():
    compiled = compile_program(load_program("parity"))
    *_, by_steps = run_steps(compiled, ["1011"], layers=5)
    tokens_BT = token_numbers(compiled, ["1011"])
    assert torch.equal(compiled.network(tokens_BT, 5), compiled.network.readout(by_steps))
    before = sum(parameter.numel() for parameter in compiled.network.parameters())
    compiled.network(tokens_BT, 50)
    assert sum(parameter.numel() for parameter in compiled.network.parameters()) == before


def test_padding_that_is_masked_changes_nothing():
    """Sequences of several lengths in one batch; what the END of a longer one would be is not looked at."""
    compiled = compile_program(load_program("parity"))
    words = ["1", "10110"]
    rows = [token_numbers(compiled, [word])[0] for word in words]
    tokens_BT = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask_BS = torch.arange(tokens_BT.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
    answers = compiled.network(tokens_BT, 6, mask_BS)[:, 0, 0]
    assert answers.tolist() == [1.0, 1.0]


def test_a_state_dict_carries_the_program():
    compiled = compile_program(load_program("sort"))
    other = CompiledTransformer(compiled.network.sizes)
    other.load_state_dict(compiled.network.state_dict())
    tokens_BT = token_numbers(compiled, ["3102"])
    assert torch.equal(other(tokens_BT, 10), compiled.network(tokens_BT, 10))
    assert other(tokens_BT, 10)[0, 1:-1].argmax(dim=-1).tolist() == [0, 1, 2, 3]


def test_it_can_be_trained_from_compiled_weights_with_noise():
    """All parameters get gradients, and a few steps repair most of what noise has done to the share of ones."""
    compiled = compile_program(load_program("share"), CompilerConfig(scale=3.0))
    network = compiled.network
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    words = [format(number, "04b") for number in range(16)]
    tokens_BT = token_numbers(compiled, words)
    targets_B = torch.tensor([word.count("1") / 4 for word in words])
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        loss = functional.mse_loss(network(tokens_BT, 1)[:, 0, 0], targets_B)
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert losses[-1] < losses[0] / 10


def test_a_fresh_network_is_zero_and_takes_any_initialisation():
    sizes = Sizes(vocabulary=3, width=8, heads=2, key_size=2, value_size=2, hidden=16, outputs=1)
    network = CompiledTransformer(sizes)
    assert all(not parameter.any() for parameter in network.parameters())
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator)
    assert network(torch.tensor([[0, 1, 2]]), 1).isfinite().all()
