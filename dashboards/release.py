"""The release that a page shows: opened read-only, shortly, and pinned while the page lasts.

What belongs here: resolving `serving/current` once, what the release says of itself, and asking it queries. What does
not: the queries, and any other store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dashboards.queries import QUERIES
from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import DATABASE, MANIFEST, Side, no_release, read_manifest


@dataclass(frozen=True)
class PinnedRelease:
    """One release. `folder` is its own, not the link `current`, which may point elsewhere a moment later."""

    folder: Path
    number: int
    as_of: date
    made_at: datetime
    served_from: Mapping[str, Side]
    """The side that each table is shown from, by table."""

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Yield a reader of the release, for as long as a page asks; raises OlistError when it is gone or damaged."""
        try:
            connection = duckdb.connect(str(self.folder / DATABASE), read_only=True)
        except duckdb.Error as error:
            if (self.folder / DATABASE).exists():
                raise _unreadable(self.number, error) from error
            raise OlistError(
                f"Release {self.number} is gone, for only the last ones are kept; load the page anew."
            ) from error
        try:
            yield Reader(connection, self.number)
        finally:
            connection.close()


@dataclass(frozen=True)
class Reader:
    """An open release."""

    connection: duckdb.DuckDBPyConnection
    number: int

    def ask(self, name: str, **chosen: object) -> pl.DataFrame:
        """Return the rows of the query `name`; decimals become floats, for they are only shown.

        What is no number, or infinite, as SQL may divide by zero, is missing.

        `chosen` are values of its parameters, the others keep their defaults. Raises TypeError for a parameter that
        the query does not have, and OlistError when there is no such query, or the release lacks what it reads.
        """
        if name not in QUERIES:
            raise OlistError(f"There is no query {name!r}; name one of dashboards/queries, or put it into its QUERIES.")
        query = QUERIES[name]
        if unknown := chosen.keys() - query.defaults.keys():
            raise TypeError(f"The query {name} has no parameter {', '.join(sorted(unknown))}")
        try:
            result = self.connection.execute(query.sql, {**query.defaults, **chosen})
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise OlistError(
                f"Release {self.number} lacks what {query.title!r} reads ({', '.join(sorted(query.tables))}): another "
                "version made it, and `olist run --force` makes one that has it, or it is of a warehouse of your own, "
                "whose tables these dashboards do not know."
            ) from error
        except duckdb.Error as error:
            raise _unreadable(self.number, error) from error
        # Typed by the database, not by the rows: an answer without rows has its types too.
        schema = pl.Schema([(column[0], _type(str(column[1]))) for column in result.description])
        frame = pl.DataFrame(result.fetchall(), schema, orient="row")
        floats = pl.col(pl.Float64)
        return frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64), pl.when(floats.is_finite()).then(floats))

    def values(self, name: str, **chosen: object) -> dict[str, Any]:
        """Return the one row of a query of totals."""
        return self.ask(name, **chosen).row(0, named=True)

    def options(self, name: str) -> list[Any]:
        """Return the values of a query of one column."""
        return self.ask(name).to_series().to_list()


def _unreadable(number: int, error: duckdb.Error) -> OlistError:
    return OlistError(
        f"Release {number} cannot be read ({str(error).splitlines()[0]}); load the page anew, and ask `olist release "
        f"verify {number}` if that does not help."
    )


_TYPES: dict[str, pl.DataType] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int64(),
    "DOUBLE": pl.Float64(),
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
    "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
}


def _type(name: str) -> pl.DataType:
    """Return the type of a column that DuckDB calls `name`; raises KeyError for one that no query should give."""
    return pl.Decimal(38, 2) if name.startswith("DECIMAL") else _TYPES[name]


def current(serving: Path) -> PinnedRelease:
    """Return the release that `serving/current` points to now; raises OlistError before the first, or for damage."""
    # Resolved once: manifest and database are of one release, whatever the link does in between.
    folder = (serving / "current").resolve()
    if not (folder / MANIFEST).exists():
        raise no_release(serving)
    manifest = read_manifest(folder)
    return PinnedRelease(
        folder,
        manifest.number,
        date.fromisoformat(manifest.as_of),
        datetime.fromisoformat(manifest.made_at),
        manifest.schemas(),
    )
