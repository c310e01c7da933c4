"""Canonical JSON: one text for one content, by which an event is known.

What belongs here: writing columns and values as the text that PostgreSQL gives of `jsonb`. What does not: what an event
says, and its id (see `history`).

The members of an object are sorted by the length of their keys, then by their bytes, and a blank follows each comma and
colon. A property test holds the text against the server's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

MUST_BE_ESCAPED = r'["\\\x00-\x1f]'
BEFORE, AFTER = '{"v":', "}"
"""What Polars writes around the value of a column `v`."""


def json_objects(members: pl.DataFrame) -> pl.Series:
    """Return an object for each row of `members`, which has a column for each key."""
    parts: list[pl.Expr] = []
    for name in sorted(members.columns, key=_place):
        key = f"{', ' if parts else '{'}{canonical(name)}: "
        parts += [pl.lit(key), *_pieces(members[name])]
    return members.select(pl.concat_str(*parts, pl.lit("}"))).to_series()


def quoted(texts: pl.Series) -> list[pl.Expr]:
    """Return what makes a string of JSON of each text, one after the other, in a frame that has the column `texts`.

    None is null then.
    """
    must_be_escaped = texts.str.contains(MUST_BE_ESCAPED)
    if not must_be_escaped.any():
        return [pl.lit('"'), pl.col(texts.name), pl.lit('"')]
    plain = pl.concat_str(pl.lit('"'), pl.col(texts.name), pl.lit('"'))
    return [pl.when(pl.lit(must_be_escaped)).then(pl.lit(_encoded(texts))).otherwise(plain)]


def canonical(value: Any) -> str:
    """Return the text of one value, as `json.loads` reads it (numbers with a point as decimals)."""
    if isinstance(value, Mapping):
        members = (f"{canonical(key)}: {canonical(value[key])}" for key in sorted(value, key=_place))
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, Decimal):
        return format(value if value else abs(value), "f")  # PostgreSQL has no negative zero
    return json.dumps(value, ensure_ascii=False)


def _pieces(values: pl.Series) -> list[pl.Expr]:
    """Return what makes the JSON of each value of a column, one after the other, in a frame that has the column."""
    kind, column = values.dtype, pl.col(values.name)
    if kind == pl.String:
        pieces = quoted(values)
        return pieces if not values.null_count() else [pl.concat_str(*pieces).fill_null("null")]
    if kind.is_integer() or kind == pl.Boolean:
        return [column.cast(pl.String).fill_null("null")]
    read = (json.loads(text, parse_float=Decimal) for text in _encoded(values))
    return [pl.lit(pl.Series(values.name, map(canonical, read), dtype=pl.String)).fill_null("null")]


def _encoded(values: pl.Series) -> pl.Series:
    """Return the JSON that Polars makes of each value, one at a time and with blanks and digits of its own."""
    encoded = pl.select(pl.struct(values.alias("v")).struct.json_encode()).to_series()
    return encoded.str.slice(len(BEFORE)).str.head(-len(AFTER))


def _place(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded
