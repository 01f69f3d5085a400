"""Do activations change faster in a wider model? Exponents of the width."""

from up.experiments.coordinate_check import CoordinateCheckConfig, check_coordinates

WIDTHS = (64, 128, 256)

checks = {
    name: check_coordinates(
        CoordinateCheckConfig(arch="modern", parametrisation=name, widths=WIDTHS)
    )
    for name in ("standard", "mup")
}
print(f"{'change after 10 steps of':32}{'standard':>10}{'muP':>10}")
for standard, mup in zip(
    checks["standard"].coordinates, checks["mup"].coordinates, strict=True
):
    print(
        f"{standard.name:32}{standard.change_slopes[-1]:+10.2f}{mup.change_slopes[-1]:+10.2f}"
    )
