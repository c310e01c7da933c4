"""ProductDimensions: weight and size of a parcel.

What belongs here: positive measures and what follows from them. What does not: freight prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from olist_domain.kernel.facts import Fact, Scalar, choose, value_of

LONGEST_SIDE_CM = 2_000_000
"""The longest side of a parcel, in centimetres, of which a volume is computed: above it the product of three may be no
64-bit whole number, at which DuckDB fails and Polars begins anew below zero."""


def is_measure(measure: Fact[int]) -> Fact[bool]:
    """A weight or a length is positive."""
    return measure > 0


def volume(length_cm: Fact[int], height_cm: Fact[int], width_cm: Fact[int]) -> Fact[int]:
    """The volume of a parcel in cubic centimetres; unknown where a side is missing or beyond `LONGEST_SIDE_CM`."""
    computable = _is_side(length_cm) & _is_side(height_cm) & _is_side(width_cm)
    return choose((computable, length_cm * height_cm * width_cm), default=None)


def _is_side(measure: Fact[int]) -> Fact[bool]:
    return (measure >= -LONGEST_SIDE_CM) & (measure <= LONGEST_SIDE_CM)


@dataclass(frozen=True)
class ProductDimensions:
    """Weight in grams, lengths in centimetres. Raises ValueError for what is not positive or too long."""

    weight_g: int
    length_cm: int
    height_cm: int
    width_cm: int

    def __post_init__(self) -> None:
        for name, measure in vars(self).items():
            if not value_of(is_measure(Scalar(measure))):
                raise ValueError(f"{name} must be positive: {measure}")
        for name in ("length_cm", "height_cm", "width_cm"):
            if not value_of(_is_side(Scalar(getattr(self, name)))):
                raise ValueError(f"{name} must be at most {LONGEST_SIDE_CM}: {getattr(self, name)}")

    @property
    def volume_cm3(self) -> int:
        """Volume in cubic centimetres."""
        cubed = volume(Scalar(self.length_cm), Scalar(self.height_cm), Scalar(self.width_cm))
        return cast(int, value_of(cubed))
