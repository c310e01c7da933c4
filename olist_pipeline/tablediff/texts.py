r"""Text that stands for a value: what a cell of a CSV file says, beside a column that has a type.

Belongs here: which texts are exactly a value of a type, and that value's canonical text (`Column.canonical`), as SQL.
Does not belong here: how the two then compare (`pairs.py`).

A text is a value of a type

    | type                   | when it is                                                                             |
    |------------------------|----------------------------------------------------------------------------------------|
    | integers, decimals     | a decimal number, of any scale: 1.10 is 1.1, and 7.0 is 7. '007' and ' 7' are not 7: an |
    |                        | integer cannot hold what these say. 1.5e3 is 1500, with up to 15 digits                |
    | floats                 | a number whose nearest float that is, or nan, inf, infinity; a whole number without an  |
    |                        | exponent only when the float is exactly it                                             |
    | booleans               | true, false, t, f, 1, 0, in any case                                                   |
    | dates and timestamps   | ISO 8601, date and time apart by a blank or a T; a date is its midnight; with a time   |
    |                        | zone, when its offset is there                                                         |
    | times                  | hours, minutes, and seconds with any number of digits                                  |
    | UUID                   | a UUID in any case                                                                     |

Any other text is itself. So two cells that differ in value never get the same text.
"""

from __future__ import annotations

from olist_pipeline.tablediff.columns import ZONED, Column, Family, float_text, without_trailing_zeros
from olist_pipeline.tablediff.sql import literal

PLAIN = r"-?([1-9][0-9]*|0)?(\.[0-9]*)?"
# As many digits as every double holds.
SCIENTIFIC = r"-?[0-9](\.[0-9]{0,14})?[eE][+-]?[0-9]{1,3}"
FLOAT = r"-?([1-9][0-9]*|0)?(\.[0-9]*)?([eE][+-]?[0-9]{1,4})?"
NO_FINITE_FLOAT = ("nan", "inf", "-inf", "infinity", "-infinity")
DAY = r"([0-9]{4,}-[0-9]{2}-[0-9]{2}(?: \(BC\))?)"
CLOCK = r"([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?)"
OFFSET = r"(?:[+-][0-9]{2}(?::?[0-9]{2})?|Z)"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Ends the text of a moment with a time zone, lest a text without one be taken for it.
UTC = "+00"
MEASURE_DIGITS = 19
"""Digits before and after the point of the decimal that measures texts."""


def value_text(text: str, typed: Column) -> str | None:
    """Return the SQL of the canonical text of the value of the type of `typed` that `text` is, NULL where it is none.

    Return None for a type whose text is the only form that it has.
    """
    if typed.base == "BOOLEAN":
        lower = f"lower({text})"
        return f"CASE WHEN {lower} IN ('true', 't', '1') THEN '1' WHEN {lower} IN ('false', 'f', '0') THEN '0' END"
    if typed.family in {Family.EXACT_NUMBER, Family.BIG_NUMBER}:
        return _number(text)
    if typed.family is Family.FLOAT:
        return _float(text, typed.base)
    if typed.family is Family.DATE:
        return _zoned(text) if typed.base in ZONED else _timestamp(text)
    if typed.family is Family.TIME:
        full = f"CASE WHEN strlen({text}) = 5 THEN {text} || ':00' ELSE {text} END"
        return f"CASE WHEN {_matches(full, CLOCK)} THEN {without_trailing_zeros(full)} END"
    if typed.family is Family.UUID:
        return f"CASE WHEN {_matches(f'lower({text})', UUID)} THEN lower({text}) END"
    return None


def typed_text(typed: Column) -> str:
    """Return the SQL of the canonical text of a column of values, as `value_text` gives it of text."""
    return f"({typed.canonical} || '{UTC}')" if typed.base in ZONED else typed.canonical


def decimal(text: str) -> str:
    """Return the SQL of a text as a DECIMAL(38,19), NULL where it is none exactly."""
    digits = rf"-?[0-9]{{0,{MEASURE_DIGITS}}}(\.[0-9]{{0,{MEASURE_DIGITS}}})?"
    value = _number(text)
    return f"CASE WHEN {_matches(value, digits)} THEN TRY_CAST({value} AS DECIMAL(38,{MEASURE_DIGITS})) END"


def nanoseconds(text: str, typed: Column) -> str:
    """Return the SQL of nanoseconds since the epoch, or since midnight, of a text that is a value of a type."""
    value = value_text(text, typed)
    if typed.family is Family.TIME:
        since = f"CAST(epoch_ns(TRY_CAST({value} AS TIME_NS)) AS HUGEINT)"
    else:
        since = (
            f"coalesce(CAST(epoch_ns(TRY_CAST({value} AS TIMESTAMP_NS)) AS HUGEINT),"
            f" CAST(epoch_us(TRY_CAST({value} AS TIMESTAMP)) AS HUGEINT) * 1000)"
        )
    return rf"TRY(CASE WHEN NOT regexp_matches({value}, 'inf|\.[0-9]{{10}}') THEN {since} END)"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _plain(text: str) -> str:
    """The canonical text of a number that is written without an exponent."""
    whole = rf"regexp_replace({text}, '^(-?)(\.|$)', '\10\2')"
    zero = _matches(text, r"-?0*\.?0*")
    return f"CASE WHEN {zero} THEN '0' ELSE {without_trailing_zeros(whole)} END"


def _number(text: str) -> str:
    digit = f"regexp_matches({text}, '[0-9]')"
    scientific = float_text(f"TRY_CAST({text} AS DOUBLE)")
    return (
        f"CASE WHEN {_matches(text, PLAIN)} AND {digit} THEN {_plain(text)}"
        f" WHEN {_matches(text, SCIENTIFIC)} THEN {scientific} END"
    )


def _float(text: str, base: str) -> str:
    number = f"CAST(TRY_CAST({text} AS {base}) AS DOUBLE)"
    zero = _matches(text, r"-?[0.]*([eE].*)?")
    exact = f"contains(lower({text}), 'e') OR {number} <> trunc({number}) OR {_plain(text)} = {float_text(number)}"
    others = ", ".join(literal(other) for other in NO_FINITE_FLOAT)
    return (
        f"CASE WHEN lower({text}) IN ({others}) THEN {float_text(number)}"
        f" WHEN {_matches(text, FLOAT)} AND regexp_matches({text}, '^-?\\.?[0-9]') AND isfinite({number})"
        f" AND ({number} <> 0 OR {zero}) AND ({exact}) THEN {float_text(number)} END"
    )


def _timestamp(text: str) -> str:
    moment = f"{DAY}(?:[ T]{CLOCK})?"
    day = f"regexp_extract({text}, {literal('^' + moment + '$')}, 1)"
    clock = f"regexp_extract({text}, {literal('^' + moment + '$')}, 2)"
    return (
        f"CASE WHEN {_matches(text, moment)} THEN {day} || ' ' ||"
        f" CASE WHEN {clock} = '' THEN '00:00:00' ELSE {without_trailing_zeros(clock)} END"
        f" WHEN lower({text}) IN ('infinity', '-infinity') THEN lower({text}) END"
    )


def _zoned(text: str) -> str:
    moment = rf"{DAY}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]*)?{OFFSET}"
    nanoseconds = f"CAST(TRY_CAST({text} AS TIMESTAMPTZ_NS) AT TIME ZONE 'UTC' AS VARCHAR)"
    microseconds = f"CAST(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS VARCHAR)"
    # Nanoseconds reach from 1677 to 2262 alone; zeros do not ask for them.
    value = rf"CASE WHEN regexp_matches({text}, '\.[0-9]{{6}}0*[1-9]') THEN {nanoseconds} ELSE {microseconds} END"
    return (
        rf"CASE WHEN {_matches(text, moment)} AND NOT regexp_matches({text}, '\.[0-9]{{9}}[0-9]*[1-9]')"
        f" THEN {without_trailing_zeros(value)} || '{UTC}'"
        f" WHEN lower({text}) IN ('infinity', '-infinity') THEN lower({text}) || '{UTC}' END"
    )
