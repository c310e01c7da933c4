"""Landing tables: what is true of a landing file before it is opened, whoever's it is.

What belongs here: records, keys, dates, and the table that rows belong to. What does not: any particular file
(`catalogue` has those of Olist, a context of yours declares its own), and reading one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from olist_domain.kernel.records import CELL_TYPES, Record, value_type
from olist_pipeline.errors import OlistError
from olist_pipeline.months import MONTH, MonthRange

TEXT_COLUMN = "text"
"""The column of a record that could not be split into cells: its text as a whole."""

LONG_AGO = date(2000, 1, 1)
"""The first month of a dated table that does not say one: an older date is a slip of the pen."""

OWN_NAMES = frozenset(
    {"source_row", "source_file", "rules", "payload", MONTH, "key_is_repeated", "parent_is_valid", "rejects", "flags"}
)
"""The columns that the pipeline adds to the rows of a file: no record can have one of these names."""


def require_tuples(declared: object, called: str, *names: str) -> None:
    """Raise TypeError for a field that is no tuple: a text would be one of its letters."""
    for name in names:
        if not isinstance(getattr(declared, name), tuple):
            raise TypeError(f"{called} needs a tuple of {name}; one alone has a comma behind it")


@dataclass(frozen=True)
class OtherFile:
    """A file of landing that no context has taken over."""

    file: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.removesuffix(".csv")


@dataclass(frozen=True)
class Parent:
    """The table that rows belong to: their `columns` hold the key of its row, in the order of its `key`."""

    table: LandingTable
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        require_tuples(self, f"The parent {self.table.name}", "columns")


@dataclass(frozen=True)
class LandingTable:
    """One landing file.

    `key` identifies a row (empty: rows may repeat), `identity` the `aggregate` that it is a part of. `month_of` is the
    timestamp column that gives a row its month, from `since` on; rows of a table with a dated `parent`, and without
    dates of their own, have their parent's month. `widest`: so many columns of the file can be read, all where None.
    Raises OlistError where the columns that it names do not fit.
    """

    name: str
    file: str
    context: str
    record: type[Record]
    key: tuple[str, ...]
    aggregate: str
    identity: str
    month_of: str | None = None
    parent: Parent | None = None
    since: date = LONG_AGO
    widest: int | None = None

    def __post_init__(self) -> None:
        require_tuples(self, f"The landing table {self.name}", "key")
        if not (isinstance(self.record, type) and issubclass(self.record, Record)):
            raise self._refused("its record is none; let its class be one of Record (olist_domain.kernel.records)")
        if taken := sorted(OWN_NAMES & set(self.columns)):
            raise self._refused(
                f"{taken[0]} is a name of the pipeline's own; give the field another one, and its column as its alias"
            )
        if len(set(self.headers.values())) < len(self.columns):
            raise self._refused("two fields of its record read the same column; let each have an alias of its own")
        for name, kind in zip(self.columns, _kinds(self.record, self.columns), strict=True):
            if kind not in CELL_TYPES:
                known = " or ".join(one.__name__ for one in CELL_TYPES)
                raise self._refused(f"no cell is read as {kind!r}, the type of {name}; let its record say {known}")
        named = (*self.ids, *((self.month_of,) if self.month_of else ()))
        if missing := sorted(set(named) - set(self.columns)):
            raise self._refused(f"its record has no {missing[0]}; name one of {', '.join(self.columns)}")
        by_month = (self.month_of,) if self.month_of else self.parent.columns if self.parent and self.is_monthly else ()
        if optional := [name for name in by_month if not self.record.model_fields[name].is_required()]:
            raise self._refused(f"a row without {optional[0]} would have no month; let its record require that column")
        if self.parent is None:
            return
        above = self.parent.table
        if not above.key or _kinds(self.record, self.parent.columns) != _kinds(above.record, above.key):
            held, key = ", ".join(self.parent.columns), ", ".join(above.key) or "none"
            raise self._refused(f"its columns {held} do not fit the key of {above.name} ({key}) in number and types")

    @property
    def asset(self) -> str:
        """What others call its accepted rows: `context/table`."""
        return f"{self.context}/{self.name}"

    @property
    def is_monthly(self) -> bool:
        """Whether each row has a month: its own, or that of what it belongs to."""
        return bool(self.month_of or (self.parent and self.parent.table.is_monthly))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the file must have, as the record calls them."""
        return tuple(self.record.model_fields)

    @property
    def headers(self) -> dict[str, str]:
        """What the file calls each of them: the field's alias, where it has one."""
        return {name: field.alias or name for name, field in self.record.model_fields.items()}

    @property
    def links(self) -> tuple[str, ...]:
        """The columns by which a row belongs to its parent, and others belong to it."""
        return tuple(dict.fromkeys((*(self.parent.columns if self.parent else ()), *self.key)))

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns that identify the row, what it is a part of, and what it belongs to."""
        return tuple(dict.fromkeys((*self.links, self.identity)))

    @property
    def depth(self) -> int:
        """How many tables stand above this one: it is read after them."""
        return self.parent.table.depth + 1 if self.parent else 0

    def months(self, today: date) -> MonthRange:
        """Return the months that a row may be of."""
        if self.parent and not self.month_of:
            return self.parent.table.months(today)
        return self.within(MonthRange.until(today, self.since))

    def within(self, months: MonthRange) -> MonthRange:
        """Return those of `months` that are not before the first of the table."""
        return MonthRange(max(months.first, self.since.replace(day=1)), months.last)

    def _refused(self, reason: str) -> OlistError:
        return OlistError(f"The landing table {self.name} ({self.file}) cannot be used: {reason}.")


Landed = LandingTable | OtherFile
"""What lands as a file, or as a folder of parts in its place; sentences and OLIST_LANDING_PARTS call it by its name."""


def _kinds(record: type[Record], columns: tuple[str, ...]) -> list[type]:
    return [value_type(record.model_fields[name].annotation) for name in columns]
