"""ProductDimensions: weight and size of a parcel.

What belongs here: positive measures and what follows from them. What does not: freight prices.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProductDimensions:
    """Weight in grams, lengths in centimetres. Raises ValueError for a measure that is not positive."""

    weight_g: int
    length_cm: int
    height_cm: int
    width_cm: int

    def __post_init__(self) -> None:
        for name, measure in vars(self).items():
            if measure <= 0:
                raise ValueError(f"{name} must be positive: {measure}")

    @property
    def volume_cm3(self) -> int:
        """Volume in cubic centimetres."""
        return self.length_cm * self.height_cm * self.width_cm
