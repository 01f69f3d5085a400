"""The posterior over ten named sources while a string is read, in exact fractions."""

from fractions import Fraction

from theory import Mixture, next_symbol, sources_class
from theory.measures.mixture import prefix_masses

STRING = "110110"

members = sources_class(6)
mixture = Mixture(members)
shown = [members.index(name) for name in ("uniform", "sticky", "dyck", "dup", "xor")]
m = mixture.measure().mass
m_prefixes = prefix_masses(m)
p_prefixes = [prefix_masses(mixture.member(c).mass) for c in range(len(members.prior))]

print("read     " + "".join(f"{members.members[c].name:>9}" for c in shown) + "   next")
product = Fraction(1)
for t, symbol in enumerate([*STRING, "$"]):  # "$": the string ends
    x = STRING[:t]
    posterior = [
        prior * p.get(x, Fraction(0)) / m_prefixes[x]
        for prior, p in zip(members.prior, p_prefixes, strict=True)
    ]
    assert sum(posterior) == 1
    following = next_symbol(m, x, m_prefixes)[symbol]
    product *= following
    weights = "".join(f"{float(posterior[c]):9.3f}" for c in shown)
    print(f"{x:<9}{weights}   p({symbol}) = {following}")
print(f"\nproduct of the predictions {product}, and m_C({STRING}) = {m[STRING]}")
