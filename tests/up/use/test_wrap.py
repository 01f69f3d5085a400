"""Pre-training of any model: the loss is that of the stream, the buffer is enriched, and what is unfit is refused."""

import dataclasses
import io
import math
import types

import pytest
import torch
from torch import nn

import up
from tests.up.sources.test_file import COINS
from tests.up.use.models import Fixed, Recurrent, uniform
from up.device import keyed_generator
from up.errors import InputError

SMALL = up.BufferConfig(source_batch=8, capacity_multiple=4, reset_constant=2, reset_noise=2)
LSTM = up.RecurrentSource(hidden_size=8, sequences_per_model=4)


def wrapped(model=None, **settings):
    given = {"length": 24, "source": LSTM, "buffer": SMALL, **settings}
    return up.wrap(Recurrent() if model is None else model, **given)


def sevens(num_rows, num_tokens, _generator):
    return torch.full((num_rows, num_tokens), 7)


def test_the_loss_is_the_mean_cross_entropy_of_every_token_but_the_first():
    model = Recurrent()
    tokens_BT = torch.randint(256, (5, 24), generator=keyed_generator(1))
    loss = wrapped(model, source=lambda *_: tokens_BT).loss(5)
    probabilities_BTV = model(tokens_BT[:, :-1]).softmax(-1).detach()
    expected = -sum(
        math.log(float(probabilities_BTV[b, t, tokens_BT[b, t + 1]])) for b in range(5) for t in range(23)
    ) / (5 * 23)
    assert loss.shape == ()
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_reaches_every_parameter():
    model = Recurrent()
    wrapped(model).loss(4).backward()
    assert all(float(parameter.grad.abs().max()) > 0 for parameter in model.parameters())


def test_the_buffer_itself_is_enriched():
    pretraining = wrapped(cadence=up.CadenceConfig(source_rows_per_instance=2.0))
    before_CT = pretraining.stream.buffer.rows_CT.clone()
    assert pretraining.observations() == {"depth": (32,)}
    pretraining.loss(4)  # one source batch of 8 rows, 4 of which are reset
    changed_C = (pretraining.stream.buffer.rows_CT != before_CT).any(1)
    assert 7 <= int(changed_C.sum()) <= 8
    assert pretraining.observations() == {"depth": (28, 4)}


@pytest.mark.parametrize("vocabulary_size", [2, 95, 256, 257, 5_000])
@pytest.mark.parametrize("source", ["lstm", "gru", "noise"])
def test_any_vocabulary_and_a_uniform_model_pays_its_logarithm(vocabulary_size, source):
    pretraining = wrapped(uniform(vocabulary_size), vocabulary_size=vocabulary_size, source=source, length=12)
    assert pretraining.source.kind == source
    losses = [float(pretraining.loss(8)) for _ in range(2)]
    assert losses == pytest.approx([math.log(vocabulary_size)] * 2, rel=1e-5)


def test_any_length_from_two_on_with_a_source_of_independent_rows():
    for length in (2, 3, 700):
        assert float(wrapped(uniform(), source="noise", length=length).loss(3)) == pytest.approx(math.log(256))


def test_settings_of_a_source_take_the_vocabulary_of_the_model():
    assert wrapped(uniform(300), vocabulary_size=300).source == dataclasses.replace(LSTM, vocabulary_size=300)


def test_a_model_may_return_an_object_with_logits_and_be_evaluated_too():
    inner = Recurrent()
    model = Fixed(lambda tokens_BT: types.SimpleNamespace(logits=inner(tokens_BT)))
    assert float(wrapped(model).loss(4).detach()) == float(wrapped(inner).loss(4).detach())
    settings = ["samples=8", 'data=["stdlib"]', "tail_positions=8"]
    assert up.evaluate(model, settings, context_length=24) == up.evaluate(inner, settings, context_length=24)


def test_fit_learns_and_tells_each_step():
    told = []
    pretraining = wrapped(source=sevens)
    losses = pretraining.fit(40, batch_size=2, learning_rate=0.03, on_step=lambda *step: told.append(step))
    assert told == list(enumerate(losses, start=1))
    assert losses[0] > 7
    assert losses[-1] < 0.5
    assert pretraining.steps == 40


def test_fit_takes_an_optimizer_of_the_users_own():
    model = Recurrent()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    wrapped(model).fit(1, batch_size=2, optimizer=torch.optim.SGD(model.head.parameters(), lr=1.0))
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == {"head.weight", "head.bias"}


def test_wrapping_leaves_model_and_global_random_numbers_as_they_were():
    model = Recurrent(dropout=0.5)
    model.head.eval()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes, numbers = [module.training for module in model.modules()], torch.get_rng_state()
    pretraining = wrapped(model)
    assert torch.equal(torch.get_rng_state(), numbers)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    pretraining.fit(1, batch_size=2)
    assert model.head.training


def test_the_seed_decides_the_stream():
    one, same, other = (wrapped(seed=seed).stream.draw(4) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("source", [LSTM, "noise", sevens])
def test_a_state_is_gone_on_from_bit_for_bit(source):
    first = wrapped(source=source, seed=5)
    first.fit(3, batch_size=4)
    state, weights = first.state_dict(), {name: tensor.clone() for name, tensor in first.model.state_dict().items()}
    file = io.BytesIO()
    torch.save(state, file)
    expected = first.fit(4, batch_size=4)

    file.seek(0)
    for saved in (state, torch.load(file, weights_only=True)):
        second = wrapped(Recurrent(seed=9), source=source, seed=6)
        second.model.load_state_dict(weights)
        second.load_state_dict(saved)
        assert second.fit(4, batch_size=4) == expected
        assert second.steps == 7
        for name, tensor in second.model.state_dict().items():
            assert torch.equal(tensor, first.model.state_dict()[name])


def test_a_state_belongs_to_the_program_of_its_source_and_not_to_the_place_of_the_file(tmp_path):
    one, other = tmp_path / "here" / "coins.py", tmp_path / "there" / "coins.py"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text(COINS)
    state = wrapped(source=f"{one}:Coins").state_dict()
    wrapped(source=f"{other}:Coins").load_state_dict(state)
    one.write_text(COINS + "# the same settings, another program")
    with pytest.raises(InputError, match="the state is not one of this pre-training"):
        wrapped(source=f"{one}:Coins").load_state_dict(state)


def test_a_state_of_other_settings_is_refused():
    state = wrapped().state_dict()
    for other in (wrapped(length=25), wrapped(source="noise"), wrapped(uniform(300), vocabulary_size=300)):
        with pytest.raises(InputError, match="the state is not one of this pre-training"):
            other.load_state_dict(state)
    with pytest.raises(InputError, match="the state is not one of this pre-training"):
        wrapped().load_state_dict({})


def far(bad):
    return Fixed(lambda tokens_BT: torch.zeros(*tokens_BT.shape, 256).index_fill(2, torch.tensor([3]), bad))


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfBytes(up.RowSource):
    kind: str = "bytes"

    def rows(self, num_rows, num_tokens, generator):
        return sevens(num_rows, num_tokens, generator)


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        (None, {"vocabulary_size": 1}, "vocabulary_size is out of range .received 1.: use 2 to 65,536"),
        (None, {"vocabulary_size": 65_537}, "vocabulary_size is out of range"),
        (None, {"vocabulary_size": 257, "source": OfBytes()}, "out of range for the source bytes .received 257"),
        (None, {"length": 1}, "length must leave a token to predict"),
        (None, {"length": 8}, "must exceed source.seed_length"),
        (None, {"seed": -1}, "wrap.seed must not be negative"),
        (None, {"seed": 2**32}, "wrap.seed is too large"),
        (None, {"source": "rnn"}, "unknown source"),
        (None, {"source": 3}, "this is no source"),
        (None, {"source": up.NoiseSource}, "this is no source"),
        (None, {"buffer_device": "nowhere"}, "unknown device"),
        (uniform(255), {}, r"another shape .*received \(2, 23, 255\).*return \(2, 23, 256\)"),
        (uniform(), {"vocabulary_size": 300}, r"another shape .*return \(2, 23, 300\)"),
        (Fixed(lambda tokens: torch.zeros(len(tokens), 256)), {}, r"another shape .*received \(2, 256\)"),
        (Fixed(lambda _: [1]), {}, "neither a tensor nor an object with logits .received 'list'"),
        (Fixed(lambda tokens: tokens[..., None].expand(-1, -1, 256)), {}, "not finite floating-point numbers"),
        (far(math.nan), {}, "not finite"),
        (far(math.inf), {}, "not finite"),
        (far(-math.inf), {}, "not finite"),
    ],
)
def test_what_does_not_fit_is_one_line(model, settings, said):
    with pytest.raises(InputError, match=said) as caught:
        wrapped(model, **settings)
    assert "\n" not in str(caught.value)


def test_a_model_that_sees_what_it_is_to_predict_is_refused():
    class TwoWays(Recurrent):
        def __init__(self):
            super().__init__()
            self.layer = nn.GRU(16, 8, batch_first=True, bidirectional=True)

    with pytest.raises(InputError, match="sees the tokens that it is to predict"):
        wrapped(TwoWays())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_: 3, "returned no tensor"),
        (lambda rows, tokens, _: torch.zeros(rows, tokens), "returned no whole numbers"),
        (lambda rows, *_: torch.zeros(rows, 3, dtype=torch.long), "returned another shape"),
        (lambda rows, tokens, _: torch.full((rows, tokens), 256), "outside the vocabulary .received 256"),
        (lambda *_: 1 // 0, r"raised ZeroDivisionError at line \d+: .*correct the function"),
    ],
)
def test_what_a_function_draws_is_looked_at(function, said):
    with pytest.raises(InputError, match=said) as caught:
        wrapped(source=function).loss(2)
    assert "\n" not in str(caught.value)


def test_a_function_may_have_the_name_of_a_source_of_the_house():
    def noise(num_rows, num_tokens, generator):
        return torch.randint(256, (num_rows, num_tokens), generator=generator)

    noise.__qualname__ = "noise"
    assert wrapped(source=noise).loss(2).isfinite()


def test_a_source_whose_tokens_lie_outside_the_vocabulary_is_told_from_the_model():
    with pytest.raises(InputError, match=r"the source bytes returned a token outside the vocabulary .received 7"):
        wrapped(uniform(5), source=OfBytes(), vocabulary_size=5).loss(2)


def test_more_instances_than_the_buffer_holds_are_refused():
    with pytest.raises(InputError, match="a batch must fit into the buffer"):
        wrapped().loss(33)


def test_a_model_that_diverges_stops_before_its_weights_change():
    model = Recurrent()
    pretraining = wrapped(model)
    model.head.weight.register_hook(lambda gradient: gradient * math.nan)
    before = model.head.weight.clone()
    with pytest.raises(InputError, match="the gradient of the model is not finite"):
        pretraining.fit(1, batch_size=2)
    assert torch.equal(model.head.weight, before)
    with torch.no_grad():
        model.head.weight[0, 0] = math.nan
    with pytest.raises(InputError, match="the model's logits are not finite"):
        pretraining.loss(2)


def mixing_predictor(vocabulary_size):
    config = up.MixingConfig(
        vocabulary_size=vocabulary_size, families=("orders",), hidden=(8, 6), context_length=48, learned_bytes=48
    )
    return up.MixingPredictor(config)


@pytest.mark.parametrize(("vocabulary_size", "source"), [(2, "pointwise"), (300, LSTM), (50_257, sevens)])
def test_a_mixing_predictor_is_trained_by_its_own_loss_whatever_its_vocabulary(vocabulary_size, source):
    predictor = mixing_predictor(vocabulary_size)
    pretraining = wrapped(predictor, vocabulary_size=vocabulary_size, source=source, length=48)
    weights = predictor.gate.third.weight.clone()
    losses_bits = pretraining.fit(6, batch_size=2, learning_rate=1e-2)
    assert (predictor.gate.third.weight != weights).any()
    assert int(predictor.totals_KFSB.sum()) > 0
    assert all(0 < bits < 2 * math.log2(vocabulary_size) for bits in losses_bits)
    if source is sevens:
        assert losses_bits[-1] < losses_bits[0]


def test_rows_of_random_computation_train_a_mixing_predictor_of_their_vocabulary():
    rows = up.RandomComputation(seed=0, length=48, source=up.make_source("tree", vocabulary_size=5), stop=4)
    assert float(mixing_predictor(5).loss(torch.stack(list(rows))).detach()) > 0


def test_a_mixing_predictor_of_another_vocabulary_is_refused():
    with pytest.raises(InputError, match="another vocabulary") as caught:
        wrapped(mixing_predictor(300))
    assert "vocabulary_size=300" in str(caught.value)
