"""The transformer of table 1: the compiled solution at every length, what its values cost, and the examples."""

import pytest
import torch

from up.codes.mixture import divergence, optimal_bits, points
from up.codes.parity import PROMPT, ParityTask, manual_weights, random_weights
from up.codes.parity_examples import draw_examples, every_example, nats, score
from up.codes.weight_code import best_prior
from up.compiler.network import CompiledTransformer
from up.errors import InputError
from up.experiments.table_1 import PAPER_TASK

LAPTOP = ParityTask(width=32, hidden=64, prompt=4, layers=10, train_lengths=(1, 6), test_lengths=(7, 9))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("length", range(1, 10))
def test_the_compiled_solution_is_right_for_every_string_of_every_length_that_is_trained_or_tested(length):
    examples = every_example(LAPTOP, length)
    assert len(examples.odd_X) == 2**length
    assert examples.odd_X.tolist() == [number.bit_count() % 2 == 1 for number in range(2**length)]
    logits_1X = examples.logits(LAPTOP, manual_weights(LAPTOP)[None])
    assert ((logits_1X[0] > 0) == examples.odd_X).all()
    assert logits_1X.abs().min() > 20
    assert float(nats(logits_1X, examples).max()) < 1e-8


def test_the_compiled_solution_of_the_papers_size_is_right_at_length_40_and_its_values_cost_1214_bits():
    weights_N = manual_weights(PAPER_TASK)
    assert len(weights_N) == PAPER_TASK.weights == 200_710
    found = score(PAPER_TASK, weights_N[None], draw_examples(PAPER_TASK, (40, 40), 16, generator()))
    assert found.accuracy_S == (1.0,)
    assert optimal_bits(weights_N) == pytest.approx(1213.9, abs=0.1)
    prior = best_prior(weights_N)
    posterior = points(weights_N.double(), float(prior.sigmas[0]))
    kl = divergence(posterior, prior, samples=2, generator=generator())
    assert kl.value == pytest.approx(1213.9, abs=0.1)


def test_a_layer_less_leaves_the_longest_strings_to_chance():
    tight = ParityTask(width=8, hidden=16, prompt=1, layers=6, train_lengths=(1, 2), test_lengths=(3, 5))
    by_length = [score(tight, manual_weights(tight)[None], every_example(tight, length)) for length in (5, 6, 7)]
    assert [found.accuracy_S[0] > 0.99 for found in by_length] == [True, False, False]


def test_noise_of_the_posteriors_spread_and_any_prompt_leave_the_compiled_solution_right():
    weights_N = manual_weights(LAPTOP)
    noisy_SN = weights_N + 0.0067 * torch.randn(4, len(weights_N), generator=generator())
    own = LAPTOP.prompt_weights
    noisy_SN[:, own] = torch.randint(2, (4, own.stop - own.start), generator=generator()) * 2.0 - 1
    assert score(LAPTOP, noisy_SN, every_example(LAPTOP, 9)).accuracy_S == (1.0,) * 4


def test_logits_are_those_of_the_network_with_the_weights_written_into_it():
    weights_SN = torch.stack([random_weights(LAPTOP, generator(seed)) for seed in (0, 1)])
    examples = draw_examples(LAPTOP, (1, 6), 50, generator())
    logits_SX = examples.logits(LAPTOP, weights_SN)
    for weights_N, logits_X in zip(weights_SN, logits_SX, strict=True):
        network = CompiledTransformer(LAPTOP.network.sizes, tanh=True)
        network.load_state_dict(LAPTOP.split(weights_N))
        outputs_XTY = network(examples.tokens_XT, LAPTOP.layers, examples.mask_XT)
        assert torch.allclose(outputs_XTY[:, LAPTOP.prompt, 0], logits_X, atol=1e-5)
    embedding_VD = LAPTOP.split(weights_SN[0])["embedding.weight"]
    assert torch.equal(embedding_VD[PROMPT:].flatten(), weights_SN[0, LAPTOP.prompt_weights])


def test_padding_changes_no_answer():
    weights_1N = random_weights(LAPTOP, generator())[None]
    together = draw_examples(LAPTOP, (1, 9), 3_000, generator())
    padded_X = together.logits(LAPTOP, weights_1N)[0]
    for length in (1, 4, 9):
        alone = every_example(LAPTOP, length)
        own_X = alone.logits(LAPTOP, weights_1N)[0]
        place = {tuple(tokens.tolist()): number for number, tokens in enumerate(alone.tokens_XT)}
        chosen = together.length_X == length
        for tokens_T, logit in zip(together.tokens_XT[chosen], padded_X[chosen], strict=True):
            assert float(logit) == pytest.approx(
                float(own_X[place[tuple(tokens_T[: 4 + length + 2].tolist())]]), abs=1e-4
            )


def test_examples_have_every_number_of_ones_about_equally_often_and_only_lengths_that_are_asked_for():
    examples = draw_examples(LAPTOP, (3, 6), 70_000, generator())
    assert int(examples.count_X.sum()) == 70_000
    assert len(torch.unique(examples.tokens_XT, dim=0)) == len(examples.tokens_XT) == 8 + 16 + 32 + 64
    assert torch.unique(examples.length_X).tolist() == [3, 4, 5, 6]
    ones_X = (examples.tokens_XT == 2).sum(1)
    assert torch.equal(ones_X % 2 == 1, examples.odd_X)
    by_ones = torch.bincount(ones_X, weights=examples.count_X.double())
    assert by_ones.tolist() == pytest.approx([10_000] * 7, rel=0.05)
    # Of four ones there is room at three lengths, which are equally many.
    fours = [int(examples.count_X[(ones_X == 4) & (examples.length_X == length)].sum()) for length in (4, 5, 6)]
    assert fours == pytest.approx([10_000 / 3] * 3, rel=0.07)


def test_a_score_weighs_each_string_by_how_often_it_occurs():
    examples = draw_examples(LAPTOP, (1, 3), 200, generator())
    weights_1N = random_weights(LAPTOP, generator())[None]
    logits_X = examples.logits(LAPTOP, weights_1N)[0].double()
    found = score(LAPTOP, weights_1N, examples)
    likely_X = torch.where(examples.odd_X, logits_X, -logits_X).sigmoid()
    assert found.bits_S[0] == pytest.approx(float(-(likely_X.log2() * examples.count_X).sum()), rel=1e-5)
    assert found.accuracy_S[0] == pytest.approx(float(((likely_X > 0.5) * examples.count_X).sum()) / 200)
    assert found.lengths == (1, 2, 3)
    own = examples.length_X == 2
    right = float(((likely_X > 0.5) * examples.count_X)[own].sum() / examples.count_X[own].sum())
    assert found.right_SL[0][1] == pytest.approx(right)


@pytest.mark.parametrize(
    "wrong", [{"layers": 9}, {"train_lengths": (0, 6)}, {"test_lengths": (5, 9)}, {"width": 0}, {"prompt": -1}]
)
def test_a_task_that_cannot_be_is_refused(wrong):
    given = {"width": 32, "hidden": 64, "prompt": 4, "layers": 10, "train_lengths": (1, 6), "test_lengths": (7, 9)}
    with pytest.raises(InputError):
        ParityTask(**{**given, **wrong})
