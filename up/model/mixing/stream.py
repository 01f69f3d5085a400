"""The stream: token by token, with constant work and bounded memory, while the predictor adapts.

    look (statistics) -> gate -> second stage -> probability of a 1, at least `FLOOR` and at most 1 - `FLOOR`
    a bit comes: second stage, gate and statistics learn it; after each 512 decisions, 64 bytes, the gate makes a step

Frozen, the gate and the second stage keep what they have learned, and only the statistics go on. All of it is
+ - * / and square roots in a fixed order on one thread (`exact`), so its probabilities are the same bits wherever IEEE
754 holds, which lets a file that was coded on one machine be decoded on another.

Limits: `Stream.memory_bytes` says what is held; older statistics are forgotten when the table of slots is full.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from up.errors import InputError
from up.model.mixing.adaptation import DECISIONS, STEP_DECISIONS, Learner, add_gradient, new_learner, step
from up.model.mixing.compiled import kernel
from up.model.mixing.contexts import Context
from up.model.mixing.exact import sigmoid
from up.model.mixing.gate import (
    FLOOR,
    Activations,
    Gate,
    GateWeights,
    empty_activations,
    empty_weights,
    run_gate,
    weights_of,
)
from up.model.mixing.inputs import VOTES, num_inputs
from up.model.mixing.second import SecondStage, choose_rows, learn_refining, new_second_stage, refine
from up.model.mixing.signals import RING
from up.model.mixing.statistics import PARTIAL, POSITION, Statistics, learn, look, match_state, new_statistics
from up.model.mixing.vocabulary import as_tokens, bits_so_far, digits_of, is_open, token_digits

NUM_SLOTS = 1 << 24


class Beginning(Protocol):
    """What a stream begins with: a `MixingPredictor`, which imports this module and so cannot be named here."""

    @property
    def vocabulary_size(self) -> int:
        """V, number of tokens."""
        ...

    @property
    def contexts(self) -> tuple[Context, ...]:
        """Of the experts."""
        ...

    @property
    def gate(self) -> Gate:
        """Whose weights are copied."""
        ...

    def start(self) -> NDArray[np.float64]:
        """Return the start of the adaptive probabilities."""
        ...


class State(NamedTuple):
    """All that changes while a stream is read.

    Attributes:
        statistics: of the bytes so far.
        weights: of the gate.
        activations: of the gate, for the present decision.
        learner: of the gate.
        second: the second stage.
        inputs: of the present decision.
        decision: the expected bit and its log odds after the gate.

    """

    statistics: Statistics
    weights: GateWeights
    activations: Activations
    learner: Learner
    second: SecondStage
    inputs: NDArray[np.float64]
    decision: NDArray[np.float64]


class Stream:
    """A predictor that reads a stream.

    Args:
        predictor: whose gate and start tables are copied.
        num_slots: of the table, a power of two; a slot takes 8 bytes.
        adapting: whether the gate and the second stage learn.

    """

    def __init__(self, predictor: Beginning, *, num_slots: int = NUM_SLOTS, adapting: bool = True) -> None:
        weights, experts = weights_of(predictor.gate), len(predictor.contexts)
        self._vocabulary_size, self._digits = predictor.vocabulary_size, digits_of(predictor.vocabulary_size)
        self._adapting, self._decided = adapting, False  # whether the present decision has been looked at
        self._state = State(
            statistics=new_statistics(predictor.contexts, predictor.start(), num_slots, self._vocabulary_size),
            weights=weights,
            activations=empty_activations(weights),
            learner=new_learner(weights, empty_weights(predictor.gate)),
            second=new_second_stage(experts, VOTES * experts, self._digits),
            inputs=np.zeros(num_inputs(experts, self._digits)),
            decision=np.zeros(2),
        )

    def read(self, data: bytes | NDArray[Any]) -> NDArray[np.float64]:
        """Read tokens, and return the probability that each of their digits was a 1, of shape (tokens, digits).

        That of a settled digit is 0 (`vocabulary`). No token may be under way.

        Args:
            data: bytes, or integers below V of shape (tokens,).

        Raises:
            InputError: a token outside the vocabulary, or another shape.

        """
        return self._read(self._tokens(data))

    def score(self, data: bytes | NDArray[Any]) -> NDArray[np.float64]:
        """Read tokens (`read`), and return -log2 p of each."""
        tokens_T = self._tokens(data)
        ones_TN = self._read(tokens_T)
        return -np.log2(np.where(token_digits(tokens_T, self._vocabulary_size) == 1, ones_TN, 1 - ones_TN)).sum(1)

    def _tokens(self, data: bytes | NDArray[Any]) -> NDArray[Any]:
        tokens = as_tokens(data, self._vocabulary_size)
        if tokens.ndim != 1:
            raise InputError("a stream is one row of tokens", received=tokens.shape, remedy="give one row at a time")
        return tokens

    def _read(self, tokens_T: NDArray[Any]) -> NDArray[np.float64]:
        assert self._is_between_tokens
        self._decided = False
        ones_TN = np.empty((len(tokens_T), self._digits))
        kernel(read_tokens, decide, absorb)(self._state, tokens_T, self._adapting, ones_TN)
        return ones_TN

    def predict(self) -> float:
        """Return the probability that the next bit is a 1.

        Bits are the digits of a token from the highest on, but for those that its vocabulary settles; all eight of a
        byte.
        """
        self._decided = True
        return kernel(decide)(self._state)

    def update(self, bit: int) -> None:
        """Learn the next bit."""
        if not self._decided:
            self.predict()
        self._decided = False
        kernel(absorb)(self._state, bit, self._adapting)

    def distribution(self) -> NDArray[np.float64]:
        """Return the probability of each token to be the next, of shape (V,); no token may be under way.

        It is the product of its bits' probabilities, none of which is learned meanwhile. `read` learns each bit before
        the next, so what it charges differs by a little. The work is that of V - 1 decisions.
        """
        assert self._is_between_tokens
        ones, self._decided = np.empty(1 << self._digits), False
        kernel(decide_all, decide)(self._state, ones)
        probabilities = np.ones(1)
        for depth in range(self._digits):
            level = ones[1 << depth : 2 << depth]
            probabilities = (probabilities[:, None] * np.stack([1 - level, level], 1)).ravel()
        return probabilities[: self._vocabulary_size]

    def freeze(self) -> None:
        """Stop learning but for the statistics."""
        self._adapting = False

    def adapt(self) -> None:
        """Learn from now on."""
        self._adapting = True

    def snapshot(self) -> bytes:
        """Return all that the next predictions depend on."""
        return b"".join([bytes([self._adapting]), *(array.tobytes() for array in _arrays(self._state))])

    def restore(self, snapshot: bytes) -> None:
        """Go back to a snapshot of a stream with the same contexts, widths and number of slots."""
        arrays = _arrays(self._state)
        assert len(snapshot) == 1 + sum(array.nbytes for array in arrays)
        self._adapting, self._decided, start = bool(snapshot[0]), False, 1
        for array in arrays:
            array[...] = np.frombuffer(snapshot, array.dtype, array.size, start).reshape(array.shape)
            start += array.nbytes

    @property
    def state(self) -> State:
        """What loops run over that read and write what no method here does, such as a code (`coder`)."""
        return self._state

    @property
    def _is_between_tokens(self) -> bool:
        return self._state.statistics.clock[PARTIAL] == 1

    @property
    def memory_bytes(self) -> int:
        """Bytes of all arrays, which do not grow."""
        return sum(array.nbytes for array in _arrays(self._state))


def _arrays(part: Any) -> list[NDArray[Any]]:
    """Return the arrays of a state that are no views of others."""
    if isinstance(part, np.ndarray):
        return [part] if part.base is None else []
    return [array for member in part for array in _arrays(member)] if isinstance(part, tuple) else []


def decide(state: State) -> float:
    """Return the probability that the next bit is a 1."""
    statistics, inputs = state.statistics, state.inputs
    expected = look(statistics, inputs)
    log_odds = run_gate(state.weights, state.activations, inputs)
    state.decision[0], state.decision[1] = expected, log_odds
    known = certain = 0
    for word in statistics.words:
        if word != 0:
            known += 1
            certain += ((word >> 8) & 255) == 0 or ((word >> 16) & 255) == 0
    position = int(statistics.clock[POSITION])
    last = int(statistics.memory.past[(position - 1) & (RING - 1)]) if position >= 1 else 0
    before = int(statistics.memory.past[(position - 2) & (RING - 1)]) if position >= 2 else 0
    partial, experts = int(statistics.clock[PARTIAL]), len(statistics.words)
    choose_rows(state.second, experts, known, certain, match_state(statistics), partial, last, before)
    one = refine(state.second, inputs[1 : 1 + VOTES * experts], log_odds, expected)
    return min(max(one, FLOOR), 1.0 - FLOOR)


def absorb(state: State, bit: int, adapting: bool) -> None:
    """Learn the bit that was decided on last."""
    expected = int(state.decision[0])
    if adapting:
        error = sigmoid(state.decision[1]) - (1.0 if bit == expected else 0.0)
        learn_refining(state.second, expected, bit)
        add_gradient(state.learner, state.activations, state.inputs, error)
    learn(state.statistics, bit)
    if adapting and state.learner.clock[DECISIONS] >= STEP_DECISIONS:
        step(state.learner, state.weights)


def read_tokens(state: State, tokens: Any, adapting: bool, ones: Any) -> None:
    """Write the probability of a 1 for each digit, learning it afterwards; 0 where it is settled."""
    digits, vocabulary_size = state.statistics.memory.digits, state.statistics.memory.vocabulary_size
    for t in range(len(tokens)):
        for shift in range(digits - 1, -1, -1):
            ones[t, digits - 1 - shift] = 0.0
            if is_open(int(tokens[t]), shift, vocabulary_size):
                ones[t, digits - 1 - shift] = decide(state)
                absorb(state, (int(tokens[t]) >> shift) & 1, adapting)


def decide_all(state: State, ones: Any) -> None:
    """Write the probability of a 1 after each beginning of a token, a one followed by its digits; 0 where settled."""
    digits, vocabulary_size = state.statistics.memory.digits, state.statistics.memory.vocabulary_size
    for partial in range(1, len(ones)):
        ones[partial], left = 0.0, digits - bits_so_far(partial)
        if is_open((partial << left) - (1 << digits), left - 1, vocabulary_size):
            state.statistics.clock[PARTIAL] = partial
            ones[partial] = decide(state)
    state.statistics.clock[PARTIAL] = 1
