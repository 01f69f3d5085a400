"""The card of a model that ships: what it was trained on, how well it predicts, and the seal of its weights.

The form is after Mitchell et al., *Model cards for model reporting*, 2019 (arXiv 1810.03993), as short as it can be: a
statement in words, and what can be counted.
"""

import dataclasses
from pathlib import Path

from up.config import from_dict
from up.evaluation.rows import EvaluationRow
from up.runs.builtin import PREFIX, builtin_names, locate
from up.runs.files import read_json

CARD_NAME = "card.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is said of a model.

    Attributes:
        name: NAME of `builtin:NAME`.
        statement: that no data was used, and what the texts that it was evaluated on decided.
        command: words of the command line that trained it; absolute paths are cut to their last part.
        commit: of the code that it was trained with; None if that was not recorded.
        commit_dirty: whether files differed from that commit.
        source: of its training sequences, in words.
        seed: of everything random.
        instances: sequences behind the weights.
        total_instances: length of the run; more than `instances` where the best checkpoint was not the last.
        context_length: tokens in a sequence.
        parameters: of the model.
        weights_bytes: size of the file of its weights.
        weights_sha256: of that file, in hexadecimal.
        licence: of the weights.
        rows: a full evaluation, made when the model was packed.
    """

    name: str
    statement: str
    command: tuple[str, ...]
    commit: str | None
    commit_dirty: bool | None
    source: str
    seed: int
    instances: int
    total_instances: int
    context_length: int
    parameters: int
    weights_bytes: int
    weights_sha256: str
    licence: str
    rows: tuple[EvaluationRow, ...]


def read_card(folder: Path) -> ModelCard:
    """Return the card in a folder.

    Raises:
        InputError: there is none, or the file holds something else.
    """
    return from_dict(ModelCard, read_json(folder / CARD_NAME, dict))


def builtin_cards() -> tuple[ModelCard, ...]:
    """Return the cards of all models that ship, in the order of their names; every file of each is verified.

    Raises:
        InputError: a model is damaged (`up.runs.builtin.locate`).
    """
    return tuple(read_card(locate(f"{PREFIX}{name}")) for name in builtin_names())
