"""Money: an exact, non-negative amount in one currency.

What belongs here: arithmetic of amounts and the one rule that every amount obeys. What does not: what an
amount is for (prices, totals and tolerances belong to the contexts).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from olist_domain.kernel.facts import Fact, Scalar

CURRENCIES = ("BRL", "USD", "EUR")


def is_not_negative(amount: Fact[Decimal]) -> Fact[bool]:
    """An amount of money is not negative."""
    return amount >= 0


@dataclass(frozen=True, order=False)
class Money:
    """An immutable amount. Raises ValueError for a negative amount or an unknown currency."""

    amount: Decimal
    currency: str = "BRL"

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError(f"Money amount must be a finite number: {self.amount}")
        if cast(Scalar[bool], is_not_negative(Scalar(self.amount))).value is False:
            raise ValueError(f"Money amount cannot be negative: {self.amount}")
        if self.currency not in CURRENCIES:
            raise ValueError(f"Unsupported currency: {self.currency} (supported: {', '.join(CURRENCIES)})")

    @classmethod
    def zero(cls, currency: str = "BRL") -> Money:
        """Return no money at all."""
        return cls(Decimal("0.00"), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same_currency(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same_currency(other).amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same_currency(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same_currency(other).amount

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:.2f}"

    def _same_currency(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError(f"Cannot combine different currencies: {self.currency} and {other.currency}")
        return other
