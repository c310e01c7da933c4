"""ProductDimensions: weight and size of a parcel.

What belongs here: positive measures and what follows from them. What does not: freight prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from olist_domain.kernel.facts import Fact, Scalar, value_of


def is_measure(measure: Fact[int]) -> Fact[bool]:
    """A weight or a length is positive."""
    return measure > 0


def volume(length_cm: Fact[int], height_cm: Fact[int], width_cm: Fact[int]) -> Fact[int]:
    """The volume of a parcel in cubic centimetres; unknown where a length is missing."""
    return length_cm * height_cm * width_cm


@dataclass(frozen=True)
class ProductDimensions:
    """Weight in grams, lengths in centimetres. Raises ValueError for a measure that is not positive."""

    weight_g: int
    length_cm: int
    height_cm: int
    width_cm: int

    def __post_init__(self) -> None:
        for name, measure in vars(self).items():
            if not value_of(is_measure(Scalar(measure))):
                raise ValueError(f"{name} must be positive: {measure}")

    @property
    def volume_cm3(self) -> int:
        """Volume in cubic centimetres."""
        cubed = volume(Scalar(self.length_cm), Scalar(self.height_cm), Scalar(self.width_cm))
        return cast(int, value_of(cubed))
