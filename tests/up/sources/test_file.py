"""A source of the user's own: a file outside the package, whose text is recorded and whose output is looked at."""

import dataclasses
import hashlib
import json

import pytest
import torch

from up.config import from_dict, to_dict
from up.errors import InputError
from up.recipes.config import RunConfig
from up.recipes.presets import configure
from up.sources.base import ConditionalSource, RowSource
from up.sources.file import FileSource

CPU = torch.device("cpu")
DATACLASS = "@dataclasses.dataclass(frozen=True, kw_only=True)"

COINS = """
import dataclasses

import torch

import up


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coins(up.RowSource):
    heads: int = 72
    bias: float = 0.5

    def rows(self, num_rows, num_tokens, generator):
        tosses = torch.rand(num_rows, num_tokens, generator=generator) < self.bias
        return torch.where(tosses, self.heads, 84)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shifted(up.ConditionalSource):
    seed_length: int = 2

    def generate(self, seeds, conditions, generator):
        return torch.cat([seeds, (conditions[:, 2:].long() + 1) % self.vocabulary_size], dim=1)
"""


@pytest.fixture
def coins(tmp_path):
    path = tmp_path / "coins.py"
    path.write_text(COINS)
    return path


def source_in(path, name="Coins", **settings):
    return FileSource(kind=f"{path}:{name}", settings=settings)


def drawn(source, rows=4, tokens=16):
    return source.opened().rows(rows, tokens, torch.Generator().manual_seed(0))


def test_its_rows_are_those_of_its_program_with_its_settings(coins):
    source = source_in(coins, heads=7).resolve(CPU)
    assert isinstance(source.opened(), RowSource)
    assert source.settings == {"heads": 7, "bias": 0.5}
    tokens_RT = drawn(source, 100, 100)
    assert tokens_RT.dtype == torch.uint8
    assert set(tokens_RT.flatten().tolist()) == {7, 84}
    assert abs(float((tokens_RT == 7).double().mean()) - 0.5) < 5 * 0.005


def test_its_class_says_how_many_tokens_it_can_serve(coins):
    with pytest.raises(InputError, match=r"source\.vocabulary_size is out of range for the source .*received 257"):
        dataclasses.replace(source_in(coins), vocabulary_size=257).opened()
    coins.write_text(COINS.replace("    heads:", "    largest_vocabulary: typing.ClassVar[int] = 1000\n\n    heads:"))
    coins.write_text(coins.read_text().replace("import dataclasses", "import dataclasses\nimport typing", 1))
    source = dataclasses.replace(source_in(coins, heads=999), vocabulary_size=1000)
    tokens_RT = drawn(source)
    assert tokens_RT.dtype == torch.int32
    assert int(tokens_RT.max()) == 999


def test_one_that_reads_conditions_goes_through_the_buffer(coins):
    settings = [f"source.kind={coins}:Shifted", "model.context_length=96"]
    config = configure("tiny", [*settings, "cadence.burn_in_batches=3"]).resolve(CPU)
    source = config.source.opened()
    assert isinstance(source, ConditionalSource)
    assert source.seed_length == 2
    stream = config.stream(CPU)
    stream.draw(16)
    assert stream.observations()["depth"][1] > 0


def test_the_configuration_names_the_file_in_full_and_the_hash_of_its_text(coins, monkeypatch):
    monkeypatch.chdir(coins.parent)
    config = configure("tiny", ["source.kind=coins.py:Coins", "source.settings.heads=80"]).resolve(CPU)
    assert to_dict(config.source) == {
        "kind": f"{coins}:Coins",
        "vocabulary_size": 256,
        "sha256": hashlib.sha256(coins.read_bytes()).hexdigest(),
        "settings": {"heads": 80, "bias": 0.5},
    }
    assert config.source.text == COINS
    assert config.source.description == "coins.py:Coins, heads 80, bias 0.5"
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_reading_a_configuration_does_not_run_the_file(coins):
    config = configure("tiny", [f"source.kind={coins}:Coins"]).resolve(CPU)
    coins.write_text("raise SystemExit('ran')")
    assert from_dict(RunConfig, to_dict(config)).source == config.source
    coins.unlink()
    assert from_dict(RunConfig, to_dict(config)).source == config.source


def test_another_text_than_the_recorded_one_is_refused(coins):
    source = source_in(coins).resolve(CPU)
    coins.write_text(COINS + "# a comment\n")
    for call in (source.opened, lambda: source.resolve(CPU)):
        with pytest.raises(InputError, match=r"has changed: its SHA-256 was [0-9a-f]{12}.*restore the file") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_recorded_text_may_lie_elsewhere(coins, tmp_path):
    source = source_in(coins).resolve(CPU)
    moved = tmp_path / "elsewhere.py"
    coins.rename(moved)
    again = dataclasses.replace(source, kind=f"{moved}:Coins")
    assert torch.equal(drawn(again), drawn(source_in(moved)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (", ("raised SyntaxError at line 1",)),
        ("import no_such_package", ("raised ModuleNotFoundError at line 1", "no_such_package")),
        ("\n\n1 / 0", ("raised ZeroDivisionError at line 3",)),
        ("import sys\nsys.exit(3)", ("raised SystemExit",)),
        ("Coins = 3", ("has no source of this name", "'Coins'", "up.RowSource")),
        ("class Coins: pass", ("has no source of this name", "'Coins'")),
        ("import up\nclass Coins(up.RowSource): pass", ("is no dataclass of its own", "frozen=True")),
        (f"import dataclasses, up\n{DATACLASS}\nclass Coins(up.RowSource): pass", ("lacks the method rows",)),
        ("", ("has no source of this name",)),
        ("\0", ("raised",)),
    ],
)  # fmt: skip
def test_a_file_without_such_a_source_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        source_in(path).resolve(CPU)
    line = str(caught.value)
    assert "\n" not in line
    for each in ("bad.py", *said):
        assert each in line


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", ("returned no tensor", "'int'")),
        ("return torch.zeros(num_rows, num_tokens)", ("returned no whole numbers", "torch.float32")),
        ("return torch.zeros(num_rows, num_tokens, dtype=torch.bool)", ("returned no whole numbers", "torch.bool")),
        ("return torch.zeros(num_rows, 17, dtype=torch.long)", ("returned another shape", "(4, 17)", "(4, 16)")),
        ("return torch.full((num_rows, num_tokens), 256)", ("outside the vocabulary", "256", "0 to 255")),
        ("return torch.full((num_rows, num_tokens), -1)", ("outside the vocabulary", "-1")),
        ("raise RuntimeError('no luck')", ("raised RuntimeError at line 7", "no luck")),
        ("return torch.ones(3) @ torch.ones(4)", ("raised RuntimeError at line 7",)),
        ("return torch.zeros(num_rows, num_tokens, dtype=torch.long).to_sparse()", ("returned no dense tensor",)),
        ("return torch.zeros(num_rows, num_tokens, dtype=torch.long, device='meta')", ("returned no dense tensor",)),
        ("raise SystemExit", ("raised SystemExit at line 7",)),
    ],
)  # fmt: skip
def test_what_it_draws_is_looked_at(tmp_path, body, said):
    path = tmp_path / "bad.py"
    start = f"import dataclasses, torch, up\n\n\n{DATACLASS}\nclass Bad(up.RowSource):\n"
    path.write_text(f"{start}    def rows(self, num_rows, num_tokens, generator):\n        {body}\n")
    with pytest.raises(InputError) as caught:
        drawn(source_in(path, "Bad").resolve(CPU))
    line = str(caught.value)
    assert "\n" not in line
    for each in (f"{path}:Bad", *said):
        assert each in line


def test_a_lack_of_memory_is_no_mistake_of_the_file(tmp_path):
    path = tmp_path / "large.py"
    start = f"import dataclasses, torch, up\n\n\n{DATACLASS}\nclass Large(up.RowSource):\n"
    path.write_text(f"{start}    def rows(self, num_rows, num_tokens, generator):\n        raise MemoryError\n")
    with pytest.raises(MemoryError):
        drawn(source_in(path, "Large").resolve(CPU))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tails": 3}, "unknown setting source.settings.tails"),
        ({"heads": "many"}, "source.settings.heads has the wrong type"),
    ],
)
def test_settings_that_it_does_not_have_are_refused(coins, settings, said):
    with pytest.raises(InputError, match=said):
        source_in(coins, **settings).resolve(CPU)


@pytest.mark.parametrize("kind", ["no/such.py:Coins", "a\0b.py:Coins", ".py:Coins"])
def test_a_file_that_is_not_there_is_refused(kind):
    with pytest.raises(InputError, match="cannot read the file of the source"):
        FileSource(kind=kind).resolve(CPU)


@pytest.mark.parametrize("first", [True, False])
def test_reading_a_configuration_does_not_run_a_file_within_it_either(tmp_path, first):
    path = tmp_path / "evil.py"
    path.write_text("raise SystemExit('it ran')")
    kind = f"{path}:Evil"
    members = [kind, "lstm"] if first else ["utm", kind]
    inner = {"kind": "mix", "members": [{"kind": "band", "source": kind}]}
    for source in ({"kind": "chain", "members": members}, {"kind": "chain", "members": [inner, "lstm"]}):
        values = {**to_dict(configure("tiny", ["source.kind=noise"])), "source": source}
        config = from_dict(RunConfig, json.loads(json.dumps(values)))
        with pytest.raises(InputError, match="it ran"):
            config.stream(CPU)


def test_a_run_names_no_file_to_be_evaluated_on(coins):
    with pytest.raises(InputError, match=r"sources of the house only.*up eval --source"):
        configure("tiny", [f'evaluation.sources=["{coins}:Coins"]'])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def resolve(self, device): raise ValueError('no')", "raised ValueError at line"),
        ("place: object = dataclasses.field(default_factory=object)", "raised TypeError"),
    ],
)
def test_what_goes_wrong_while_its_settings_are_written_out_is_one_line(tmp_path, body, said):
    path = tmp_path / "own.py"
    path.write_text(COINS.replace("    heads: int = 72\n", f"    heads: int = 72\n    {body}\n"))
    with pytest.raises(InputError, match=said) as caught:
        source_in(path).resolve(CPU)
    assert "\n" not in str(caught.value)


def test_what_its_code_prints_is_no_result(coins, capsys):
    coins.write_text(
        "print('at the top')\n" + COINS.replace("        return", "        print('drawing')\n        return", 1)
    )
    drawn(source_in(coins).resolve(CPU))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "at the top" in printed.err
    assert "drawing" in printed.err


def test_it_imports_what_lies_beside_it(coins):
    (coins.parent / "odds.py").write_text("HEADS = 3\n")
    coins.write_text("from odds import HEADS\n" + COINS.replace("heads: int = 72", "heads: int = HEADS"))
    assert source_in(coins).resolve(CPU).settings["heads"] == 3
