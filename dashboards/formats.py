"""Formats: numbers, dates and words in one locale, English, with amounts in Brazilian reals.

What belongs here: values to text, and the same formats for charts. What does not: any number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

NONE = "-"
ACRONYMS = {"VIP", "RFM", "BRL"}
CODE = re.compile(r"\b[A-Z]{2,}(_[A-Z]+)*\b")

LOCALE: dict[str, Any] = {"number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["R$ ", ""]}}
"""The locale of the charts: d3's own, English, but for the currency."""

# d3 formats of the charts, under LOCALE.
MONEY, MONEY_WHOLE, MONEY_SHORT = "$,.2f", "$,.0f", "$~s"
COUNT, DECIMAL, DECIMAL_FINE, PERCENT, PERCENT_FINE = ",.0f", ",.1f", ",.2f", ".0%", ".1%"
DAY, MONTH, MOMENT = "%-d %b %Y", "%b %Y", "%-d %b %Y %H:%M"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def count(value: float | None) -> str:
    """Return a whole number: 1234567 is 1,234,567."""
    return NONE if value is None else f"{value:z,.0f}"


def counted(value: float | None, thing: str) -> str:
    """Return a whole number of things: 1 order, 2 orders."""
    return f"{count(value)} {thing}" if value == 1 else f"{count(value)} {thing}s"


def decimal(value: float | None, places: int = 1) -> str:
    """Return a number with decimals: 1234.56 is 1,234.6."""
    return NONE if value is None else f"{value:z,.{places}f}"


def decimal_fine(value: float | None) -> str:
    """Return a number with two decimals."""
    return decimal(value, 2)


def money(value: float | None, places: int = 2) -> str:
    """Return an amount in BRL: 1234.56 is R$ 1,234.56."""
    if value is None:
        return NONE
    amount = decimal(value, places)
    return f"-R$ {amount[1:]}" if amount.startswith("-") else f"R$ {amount}"


def money_whole(value: float | None) -> str:
    """Return an amount in whole BRL."""
    return money(value, 0)


def money_short(value: float | None) -> str:
    """Return an amount for a headline: 15735527.03 is R$ 15.7M."""
    if value is None:
        return NONE
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M")):
        if abs(value) >= size:
            return f"{money(value / size, 1)}{unit}"
    return money(value) if abs(value) < 10_000 else money_whole(value)


def percent(value: float | None) -> str:
    """Return a share: 0.0712 is 7.1%."""
    return NONE if value is None else f"{value * 100:z,.1f}%"


def percent_whole(value: float | None) -> str:
    """Return a share in whole percent."""
    return NONE if value is None else f"{value * 100:z,.0f}%"


def day(value: date | datetime | None) -> str:
    """Return a day: 7 Oct 2018."""
    # Not by strftime, whose names of months are those of the process's locale.
    return NONE if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def month(value: date | None) -> str:
    """Return a month: Oct 2018."""
    return NONE if value is None else f"{MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime | None) -> str:
    """Return a time: 7 Oct 2018 03:04, in UTC as it is stored."""
    return NONE if value is None else f"{day(value)} {value:%H:%M}"


TEXT_OF: Mapping[str, Callable[[Any], str]] = {
    MONEY: money,
    MONEY_WHOLE: money_whole,
    MONEY_SHORT: money_short,
    COUNT: count,
    DECIMAL: decimal,
    DECIMAL_FINE: decimal_fine,
    PERCENT: percent_whole,
    PERCENT_FINE: percent,
    DAY: day,
    MONTH: month,
    MOMENT: moment,
}
"""What writes a value as a chart's format does."""


def words(code: str | None) -> str:
    """Return a code of the data as words: credit_card is Credit card, sao paulo stays as it is."""
    if code is None:
        return "Unknown"
    text = code.replace("_", " ").strip()
    return text[:1].upper() + (text[1:].lower() if text.isupper() and text not in ACRONYMS else text[1:])


def sentence(statement: str) -> str:
    """Return a statement of the domain with its codes as words: VERY_LATE is very late."""
    return CODE.sub(lambda found: found[0] if found[0] in ACRONYMS else words(found[0]), statement)


def city(name: str | None) -> str:
    """Return the name of a city, which the source writes in small letters: rio de janeiro is Rio de Janeiro."""
    small = {"de", "da", "do", "das", "dos", "e"}
    return " ".join(part if part in small else part.capitalize() for part in (name or "unknown").split())
