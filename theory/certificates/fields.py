"""Reading JSON strictly: every value has one type and one spelling, and an error names its place in the file.

A certificate is read by these few readers and by nothing else. Numbers that are not whole are strings such as "3/4" in
lowest terms, so that no float is ever read and equal numbers look equal. Limits: sizes up to `LARGEST`, bit strings and
lists as long, counts up to `LARGEST_COUNT`, fractions of up to `LONGEST` characters, names of up to `LONGEST_NAME`, so
that no file can ask for unlimited memory.
"""

import re
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.errors import InputError
from theory.numbers.bit_strings import BitString

LARGEST, LONGEST, LONGEST_NAME = 100_000, 4_000, 200
LARGEST_COUNT = 10**12


@dataclass(frozen=True)
class Field:
    """A value in the file with its place, and the readers that accept one type each."""

    value: Any
    place: str

    def refuse(self, wanted: str) -> InputError:
        """Return the error that says what should stand here."""
        return InputError(
            f"the certificate is malformed: {without_middle(self.place) or 'the file'} should be {wanted}",
            received=shortened(self.value),
            remedy="write it again with --certificate",
        )

    def fields(self, *names: str) -> list["Field"]:
        """Read an object with exactly these names."""
        if not isinstance(self.value, dict) or set(self.value) != set(names):
            raise self.refuse("an object with the fields " + ", ".join(names))
        return [Field(self.value[name], f"{self.place}.{name}".lstrip(".")) for name in names]

    def items(self) -> list["Field"]:
        """Read a list."""
        if not isinstance(self.value, list) or len(self.value) > LARGEST:
            raise self.refuse(f"a list of at most {LARGEST} items")
        return [Field(value, f"{self.place}[{i}]") for i, value in enumerate(self.value)]

    def pairs(self) -> dict[BitString, "Field"]:
        """Read an object whose keys are bit strings."""
        if not isinstance(self.value, dict):
            raise self.refuse("an object")
        return {
            Field(key, f"a key of {self.place}").bit_string(): Field(v, f"{self.place}.{key}")
            for key, v in self.value.items()
        }

    def text(self) -> str:
        """Read a string."""
        if not isinstance(self.value, str) or len(self.value) > LONGEST_NAME or not self.value.isprintable():
            raise self.refuse(f"a line of text of at most {LONGEST_NAME} characters")
        return self.value

    def among(self, *choices: Any) -> Any:
        """Read one of some values, of the same type."""
        if not any(type(self.value) is type(choice) and self.value == choice for choice in choices):
            raise self.refuse("one of " + ", ".join(map(repr, choices)))
        return self.value

    def bit_string(self) -> BitString:
        """Read a bit string."""
        if not isinstance(self.value, str) or not re.fullmatch(f"[01]{{0,{LARGEST}}}", self.value):
            raise self.refuse("a bit string")
        return self.value

    def up_to(self, most: int) -> int:
        """Read an integer from 0 to `most`."""
        if type(self.value) is not int or not 0 <= self.value <= most:
            raise self.refuse(f"an integer from 0 to {most}")
        return self.value

    def integer(self) -> int:
        """Read a size, an integer from 0 to `LARGEST`."""
        return self.up_to(LARGEST)

    def count(self) -> int:
        """Read how many there are of something, an integer from 0 to `LARGEST_COUNT` that takes no memory."""
        return self.up_to(LARGEST_COUNT)

    def fraction(self) -> Fraction:
        """Read a fraction that is not negative, in lowest terms: "3/4" or "1"."""
        text = self.value
        if isinstance(text, str) and len(text) <= LONGEST and re.fullmatch(r"[0-9]+(/[1-9][0-9]*)?", text):
            number = Fraction(text)
            if str(number) == text:
                return number
        raise self.refuse('a fraction in lowest terms such as "3/4"')

    def total(self, fractions: Iterable[Fraction]) -> Fraction:
        """Return the sum of fractions that were read here; one whose size explodes is refused."""
        total = Fraction(0)
        for each in fractions:
            total += each
            if is_long(total):
                raise self.refuse(f"without fractions whose sum has more than {LONGEST} characters")
        return total

    def maybe(self) -> "Field | None":
        """Read null as None."""
        return None if self.value is None else self


def is_long(number: Fraction) -> bool:
    """Return whether a fraction may have more characters than a certificate takes."""
    return max(number.numerator, number.denominator).bit_length() > 3 * LONGEST // 2


def power_is_long(number: Fraction, exponent: int) -> bool:
    """Return whether a power of a fraction from 0 to 1 is long, without computing it."""
    return exponent * (number.denominator.bit_length() - 1) > 3 * LONGEST // 2


def without_middle(text: str) -> str:
    """Return a text of at most 120 characters, with its middle left out where it is longer."""
    return text if len(text) <= 120 else f"{text[:60]}...{text[-57:]}"


def shortened(value: Any) -> "_Shortened":
    """Return a value as an error message shows it."""
    text = reprlib.repr(value)
    return _Shortened(text if len(text) <= 60 else text[:57] + "...")


class _Shortened(str):
    """A text that an error message shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
