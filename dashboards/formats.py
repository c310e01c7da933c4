"""Formats: numbers, dates and words as a Brazilian manager reads them.

What belongs here: values to text, and the same formats for charts. What does not: any number.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

NONE = "-"

LOCALE: dict[str, Any] = {
    "number": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["R$ ", ""]},
    "time": {
        "dateTime": "%d/%m/%Y %H:%M:%S",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["", ""],
        "days": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
        "shortDays": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
        "months": [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        "shortMonths": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    },
}
"""The locale of the charts: Brazilian numbers and dates, English words."""

# d3 formats of the charts, under LOCALE.
MONEY, MONEY_WHOLE, MONEY_SHORT = "$,.2f", "$,.0f", "$~s"
COUNT, DECIMAL, PERCENT, PERCENT_FINE = ",.0f", ",.1f", ".0%", ".1%"
DAY, MONTH = "%d/%m/%Y", "%m/%Y"


def count(value: float | None) -> str:
    """Return a whole number: 1234567 is 1.234.567."""
    return NONE if value is None else _brazilian(f"{value:,.0f}")


def decimal(value: float | None, places: int = 1) -> str:
    """Return a number with decimals: 1234.56 is 1.234,6."""
    return NONE if value is None else _brazilian(f"{value:,.{places}f}")


def money(value: float | None) -> str:
    """Return an amount in BRL: 1234.56 is R$ 1.234,56."""
    if value is None:
        return NONE
    return f"{'-' if value < 0 else ''}R$ {_brazilian(f'{abs(value):,.2f}')}"


def money_short(value: float | None) -> str:
    """Return an amount for a headline: 15735527.03 is R$ 15,7 mi."""
    if value is None:
        return NONE
    for size, unit in ((1_000_000_000, "bi"), (1_000_000, "mi")):
        if abs(value) >= size:
            return f"R$ {_brazilian(f'{value / size:,.1f}')} {unit}"
    return money(value) if abs(value) < 10_000 else f"R$ {_brazilian(f'{value:,.0f}')}"


def percent(value: float | None) -> str:
    """Return a share: 0.0712 is 7,1%."""
    return NONE if value is None else f"{_brazilian(f'{value * 100:,.1f}')}%"


def day(value: date | datetime | None) -> str:
    """Return a day: dd/mm/yyyy."""
    return NONE if value is None else f"{value:%d/%m/%Y}"


def month(value: date | None) -> str:
    """Return a month: mm/yyyy."""
    return NONE if value is None else f"{value:%m/%Y}"


def moment(value: datetime | None) -> str:
    """Return a time: dd/mm/yyyy hh:mm, in UTC as it is stored."""
    return NONE if value is None else f"{value:%d/%m/%Y %H:%M}"


def sentence(text: str) -> str:
    """Return a sentence of the pipeline with its whole numbers grouped as in Brazil."""
    return re.sub(r"(?<=\d),(?=\d{3}\b)", ".", text)


def words(code: str | None) -> str:
    """Return a code of the data as words: credit_card is Credit card, sao paulo stays as it is."""
    if code is None:
        return "Unknown"
    text = code.replace("_", " ").strip()
    return text[:1].upper() + (text[1:].lower() if text.isupper() else text[1:])


def city(name: str | None) -> str:
    """Return the name of a city, which the source writes in small letters: rio de janeiro is Rio de Janeiro."""
    small = {"de", "da", "do", "das", "dos", "e"}
    return " ".join(part if part in small else part.capitalize() for part in (name or "unknown").split())


def _brazilian(text: str) -> str:
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")
