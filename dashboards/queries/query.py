"""What a query is, and the conditions that filters make.

What belongs here: the shape of a query and of its filters. What does not: any particular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Query:
    """One question to a release.

    `sql` is plain DuckDB SQL on schema main; what a release says of the migration stands in its schema `about`.
    `tables` are the tables that it reads, those of `about` with their schema. `defaults` has every parameter.
    """

    title: str
    sql: str
    tables: frozenset[str]
    defaults: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


PERIOD: Mapping[str, object] = {"from_month": None, "to_month": None}


def query(title: str, *tables: str, sql: str, **defaults: object) -> Query:
    """Return a query with its parameters and their defaults."""
    return Query(title, sql, frozenset(tables), MappingProxyType(defaults))


def months(column: str) -> str:
    """Return the condition that a month lies within the chosen period."""
    return (
        f"({column} >= $from_month::DATE OR $from_month IS NULL) AND ({column} <= $to_month::DATE OR $to_month IS NULL)"
    )


def is_chosen(column: str, parameter: str) -> str:
    """Return the condition that a column has the chosen value."""
    return f"({column} = ${parameter}::VARCHAR OR ${parameter} IS NULL)"


IN_PERIOD = months("order_month")
