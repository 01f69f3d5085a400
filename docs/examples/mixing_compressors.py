"""The predictor, untrained, and compressors on the first bytes of a piece of text."""

from up.data.corpora import load_corpus
from up.evaluation.compressors import compressed_sizes
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream

START = 100_000

pieces = {
    f"{name} {size:,}": load_corpus(name).data[START : START + size].tobytes()
    for name in ("stdlib", "pydoc")
    for size in (1_000, 10_000)
}
table = {"this predictor": []}
for data in pieces.values():
    table["this predictor"].append(Stream(MixingPredictor()).score(data).mean())
    for size in compressed_sizes(data):
        table.setdefault(size.name, []).append(size.bits_per_byte or float("nan"))

print(" " * 16 + "".join(f"{name:>15}" for name in pieces))
for name, row in table.items():
    print(f"{name:<16}" + "".join(f"{bits:15.2f}" for bits in row))
