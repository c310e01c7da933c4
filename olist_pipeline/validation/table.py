"""Staged tables: what a context publishes of its accepted rows.

What belongs here: what is true of a table before it is made. What does not: how it is made (the contexts), and
where its files are (`staging`).
"""

from __future__ import annotations

from dataclasses import dataclass

from olist_pipeline.landing.table import LandingTable, require_tuples


@dataclass(frozen=True)
class Summary:
    """What a table is made of that has no landing rows of its own: a row for each value of `by` in `of`.

    `key` is the column that holds the value. `of` is a staged table (`context/table`); of its rows those count alone
    that another one and its column, `among`, know by the value that they have in a column of that name.
    """

    of: str
    by: str
    key: str
    among: tuple[str, str] | None = None

    @property
    def assets(self) -> tuple[str, ...]:
        """The staged tables that it is made of."""
        return (self.of, self.among[0]) if self.among else (self.of,)


@dataclass(frozen=True)
class Link:
    """An id by which a warehouse row is traced to the quarantined rows that it stands on.

    `name` is its column in the warehouse, `cell` the one in landing where that is called otherwise, and `table` the
    landing table whose cell it is, where another one calls something else so (`id`). `aggregate` is the
    type of the aggregate that it identifies, if rows are accepted or rejected together with it: rows that were
    rejected for the sake of others are traced to the rules that the rest of it broke. `through` is the staged table
    (`context/table`) and its column by which an id is found that quarantined rows do not bear themselves.
    """

    name: str
    cell: str = ""
    aggregate: str | None = None
    through: tuple[str, str] | None = None
    table: str = ""

    @property
    def column(self) -> str:
        """The column of landing that holds the id."""
        return self.cell or self.name


@dataclass(frozen=True)
class StagedTable:
    """A table of accepted rows in staging.

    A table with a `source` accepts rows of that landing table, each or not at all, and keeps `columns` of them
    as they came; a `summary` is made of other tables. `aggregate` and `identity` say what a
    quarantined row is a part of.
    """

    name: str
    context: str
    aggregate: str
    identity: str
    columns: tuple[str, ...]
    is_monthly: bool
    source: LandingTable | None = None
    summary: Summary | None = None

    def __post_init__(self) -> None:
        require_tuples(self, f"The staged table {self.name}", "columns")

    @property
    def asset(self) -> str:
        """What others call it: `context/table`."""
        return f"{self.context}/{self.name}"

    @classmethod
    def of(cls, source: LandingTable) -> StagedTable:
        """Return the table of the accepted rows of a landing table, by the same name."""
        return cls(
            source.name,
            source.context,
            source.aggregate,
            source.identity,
            source.columns,
            is_monthly=source.is_monthly,
            source=source,
        )
