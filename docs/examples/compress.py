"""A mixing predictor that was never trained compresses by what it learns meanwhile."""

from up.model.mixing.predictor import MixingPredictor

text = b"".join(b"%d times 7 is %d\n" % (n, 7 * n) for n in range(200))
predictor = MixingPredictor()
file = predictor.compress(text)
assert predictor.decompress(file) == text
print(
    f"{len(text)} bytes in {len(file)}: {8 * len(file) / len(text):.2f} bits per byte"
)

try:
    predictor.decompress(file[:-1])
except ValueError as error:
    print(error)
