"""The depth formula of section 6.2 as printed and as meant, beside the table of A.1."""

import math

from up.model.transformer.config import depth_for_width

print("| width | as printed | as meant | table |")
print("|---|---|---|---|")
for width, depth in {384: 16, 512: 22, 640: 26, 1024: 34}.items():
    printed = math.floor((math.log(width) - 5.039) / 0.555)
    print(f"| {width} | {printed} | {depth_for_width(width)} | {depth} |")
