"""Random pairs of small relations of all of DuckDB's types, with what their cells are, in plain Python.

A value is an SQL literal without its type, and a model: two cells are equal when their models are. Models know nothing
of DuckDB; a number is a fraction, so that 1.10 and 1.1 are the same, and a moment is its text without trailing zeros.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import strategies as st


@dataclass(frozen=True)
class Value:
    """sql: an expression, to be cast to the type. texts: what a CSV file may say for it."""

    sql: str
    model: Hashable
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A type with values of it. group: kinds of one group compare by value. parquet: a file holds it exactly."""

    name: str
    values: tuple[Value, ...] = field(repr=False)
    group: str
    parquet: bool = True
    strange: tuple[str, ...] = ()
    """Texts that are no value of the type, though they look like one."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def single(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def float_model(number: float) -> Hashable:
    """A float as the number that it prints as; a whole one as the number that it is."""
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return f"{number}"
    whole = number == int(number) and abs(number) < 2**127
    return Fraction(int(number)) if whole else Fraction(repr(number))


INTEGERS: tuple[int, ...] = ()
INTEGERS += (
    0,
    1,
    -1,
    7,
    100,
    127,
    -128,
    255,
    32767,
    65535,
    2**31 - 1,
    -(2**31),
    2**32 - 1,
    2**53,
    2**53 + 1,
)
INTEGERS += (2**63 - 1, -(2**63), 2**64 - 1, 10**18, 10**37, 2**127 - 1, -(2**127) + 1, 2**128 - 1, 12345678901)
DECIMALS = (
    "0.1",
    "1.1",
    "-1.1",
    "0.5",
    "0.25",
    "-0.75",
    "99.99",
    "0.01",
    "12345678901234567.89",
    "0.30000000000000004",
)
FLOATS: tuple[float, ...] = ()
FLOATS += (
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    0.1,
    1.1,
    0.5,
    -0.75,
    7.0,
    1e-300,
    1e300,
    1e22,
    1 / 3,
    2.0**53,
)
FLOATS += (0.30000000000000004, 12345678901.0, 5e-324, single(0.1))


def integers(low: int, high: int) -> tuple[Value, ...]:
    chosen = (number for number in INTEGERS if low <= number <= high)
    return tuple(Value(quoted(str(n)), Fraction(n), (str(n), f"{n}.0", f"{n}.000")) for n in chosen)


def decimals(precision: int, scale: int) -> tuple[Value, ...]:
    numbers = [Fraction(text) for text in DECIMALS] + [Fraction(number) for number in INTEGERS]
    found = []
    for number in dict.fromkeys(numbers):
        units = number * 10**scale
        if units.denominator == 1 and abs(units) < 10**precision:
            text = plain(number)
            more = f"{text}0" if "." in text else f"{text}.0"
            found.append(Value(quoted(text), number, (text, more, f"{more}00")))
    return tuple(found)


def plain(number: Fraction) -> str:
    """A fraction with a finite decimal form, in it."""
    scale = next(scale for scale in range(60) if (number * 10**scale).denominator == 1)
    digits = str(abs(number * 10**scale)).rjust(scale + 1, "0")
    whole, part = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    return f"{'-' * (number < 0)}{whole}{'.' * bool(part)}{part}"


def doubles() -> tuple[Value, ...]:
    return tuple(
        Value(quoted(repr(x)), float_model(x), (repr(x), f"{x:.17g}", repr(x).upper(), f"{x:.20e}")) for x in FLOATS
    )


def singles() -> tuple[Value, ...]:
    found = []
    for number in (math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, 0.5, -0.75, 7.0, 16777216.0, 1e30, 1e-30):
        as_double = single(number)
        found.append(Value(quoted(repr(number)), float_model(as_double), (repr(number), f"{as_double:.9g}")))
    return tuple(found)


TEXTS: tuple[str, ...] = ()
TEXTS += (
    "",
    " ",
    "a",
    "a ",
    "A",
    "NULL",
    "null",
    "nan",
    "007",
    "7",
    "7.0",
    "1.10",
    "é",
    "e\u0301",
    "\n",
    "\r\n",
    '"',
)
TEXTS += ("a,b", "'", "\\", "\t", "#2", "true", "2018-01-02", "日本", "x" * 12, "x" * 13, "x" * 12 + "y", "[1]", "{}")
TEXTS += ("12345678a2345678b", "12345678b2345678a", "\u00a0", "\ufeff", "inf", "-0")


def texts(chosen: Sequence[str]) -> tuple[Value, ...]:
    return tuple(Value(quoted(text), f"s{text}", (text,)) for text in chosen)


DAYS = ("1970-01-01", "1969-12-31", "2018-02-28", "2018-03-01", "0001-01-01", "9999-12-31", "0044-03-15 (BC)")
CLOCKS = ("00:00:00", "00:00:01", "23:59:59", "12:34:56.7", "12:34:56.789", "12:34:56.789012", "12:34:56.789012345")


def moments(digits: int | None, *, zone: str = "", near: bool = False) -> tuple[Value, ...]:
    """Moments of at most so many digits of a second, or days; near: of three centuries around now."""
    found = []
    for day in DAYS:
        if near and day[:2] in ("00", "99"):
            continue
        for clock in CLOCKS[:1] if digits is None else CLOCKS:
            if len(clock.partition(".")[2]) > (digits or 0):
                continue
            moment = f"{day} {clock}{zone}"
            spelled = [
                moment,
                moment.replace(f"{day} ", f"{day}T"),
                f"{day} {clock}{'0' if '.' in clock else '.00'}{zone}",
            ]
            if clock == "00:00:00" and not zone:
                spelled.append(day)
            found.append(Value(quoted(day if digits is None else moment), f"t{day} {clock}", tuple(spelled)))
    if not near:
        found += [Value(quoted(end), f"t{end}", (end, end.upper())) for end in ("infinity", "-infinity")]
    return tuple(found)


def clocks(digits: int) -> tuple[Value, ...]:
    chosen = (clock for clock in CLOCKS if len(clock.partition(".")[2]) <= digits)
    return tuple(
        Value(quoted(clock), f"c{clock}", (clock, f"{clock}{'0' if '.' in clock else '.0'}")) for clock in chosen
    )


def named(*spellings: str) -> tuple[Value, ...]:
    """Values that are equal when they print the same."""
    return tuple(Value(quoted(text), f"o{text}", (text,)) for text in spellings)


INTERVALS = named(
    "1 month", "30 days", "720:00:00", "1 year", "00:00:00", "1 month 1 day", "2 months 2 days", "00:00:00.000001"
)
UUIDS = tuple(
    Value(quoted(text), f"u{text}", (text, text.upper()))
    for text in ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000",
                 "ffffffff-ffff-ffff-ffff-ffffffffffff")
)  # fmt: skip
BLOBS = tuple(Value(f"from_hex('{code}')", f"b{code}") for code in ("", "00", "0000", "FF", "61", "5C7830", "5C", "27"))
BOOLEANS = (Value("true", Fraction(1), ("true", "True", "t", "1")), Value("false", Fraction(0), ("FALSE", "f", "0")))
WRONG_NUMBERS = (
    "007",
    " 7",
    "+7",
    "1,5",
    "x",
    "7.0.0",
    "0x10",
    "1_000",
    "12345678901234567890123456789012345678901234567",
)
WRONG_MOMENTS = ("2018-1-2", "02/01/2018", "2018-02-30x", "now", "1.5", "12:34", "2018-02-28T")

SCALARS: tuple[Kind, ...] = (
    *(
        Kind(name, integers(low, high), "number", parquet=parquet, strange=WRONG_NUMBERS)
        for name, low, high, parquet in (
            ("TINYINT", -128, 127, True),
            ("UTINYINT", 0, 255, True),
            ("SMALLINT", -(2**15), 2**15 - 1, True),
            ("USMALLINT", 0, 2**16 - 1, True),
            ("INTEGER", -(2**31), 2**31 - 1, True),
            ("UINTEGER", 0, 2**32 - 1, True),
            ("BIGINT", -(2**63), 2**63 - 1, True),
            ("UBIGINT", 0, 2**64 - 1, True),
            ("HUGEINT", -(2**127), 2**127 - 1, False),
            ("UHUGEINT", 0, 2**128 - 1, False),
            ("BIGNUM", -(2**200), 2**200, False),
        )
    ),
    *(
        Kind(f"DECIMAL({p},{s})", decimals(p, s), "number", strange=WRONG_NUMBERS)
        for p, s in ((4, 2), (9, 2), (18, 3), (38, 0), (38, 20), (2, 2))
    ),
    Kind("DOUBLE", doubles(), "number", strange=(*WRONG_NUMBERS, "1e400", "9007199254740993")),
    Kind("FLOAT", singles(), "number", strange=(*WRONG_NUMBERS, "16777217", "1e39")),
    Kind("BOOLEAN", BOOLEANS, "number", strange=("yes", "2", "1.0", "")),
    Kind("VARCHAR", texts(TEXTS), "text"),
    Kind("ENUM('a', 'A', 'a,b', '', 'é')", texts(("a", "A", "a,b", "", "é")), "text", strange=("b", " a")),
    Kind("JSON", texts(("7", "7.0", "[1]", "{}", "null", "true", '"NULL"')), "text", parquet=False, strange=("[1] ",)),
    Kind("DATE", moments(None), "moment", strange=WRONG_MOMENTS),
    Kind("TIMESTAMP_S", moments(0), "moment", parquet=False, strange=WRONG_MOMENTS),
    Kind("TIMESTAMP_MS", moments(3), "moment", strange=WRONG_MOMENTS),
    Kind("TIMESTAMP", moments(6), "moment", strange=(*WRONG_MOMENTS, "2018-02-28 12:34:56.7890121")),
    Kind("TIMESTAMP_NS", moments(9, near=True), "moment", strange=WRONG_MOMENTS),
    Kind("TIMESTAMP WITH TIME ZONE", moments(6, zone="+00"), "moment", strange=(*WRONG_MOMENTS, "2018-02-28 00:00:00")),
    Kind("TIMESTAMPTZ_NS", moments(9, zone="+00", near=True), "moment", parquet=False, strange=WRONG_MOMENTS),
    Kind("TIME", clocks(6), "clock", strange=("1:02:03", "12:34:56.7890121", "x")),
    Kind("TIME_NS", clocks(9), "clock", parquet=False, strange=("1:02:03", "x")),
    Kind("TIME WITH TIME ZONE", named("12:00:00+00", "13:00:00+01", "12:00:00.5+00", "00:00:00-15:59"), "tz", False),
    Kind("INTERVAL", INTERVALS, "interval", False),
    Kind("UUID", UUIDS, "uuid", strange=("x",)),
    Kind("BLOB", BLOBS, "blob"),
    Kind("BIT", named("0", "1", "00", "01", "0000000000", "1111111111111"), "bit", False),
)  # fmt: skip
VARIANTS = Kind(
    "VARIANT",
    tuple(Value(sql, f"v{sql}") for sql in ("1::INTEGER", "'1'::VARCHAR", "[1]", "[]", "{'a': 1}", "true", "'a'")),
    "variant",
    False,
)
GEOMETRIES = Kind(
    "GEOMETRY", tuple(Value(quoted(text), f"g{text}") for text in ("POINT (1 2)", "POINT (2 1)")), "geometry", False
)


def listed(inner: Kind, name: str, sizes: Sequence[int]) -> st.SearchStrategy[Kind]:
    """Lists, or arrays of one size, of values of a kind and NULLs."""

    def of(cells: list[list[Value | None]]) -> Kind:
        values = (
            Value(
                "[" + ", ".join(literal(cell, inner.name) for cell in row) + f"]::{name}",
                ("list", *(cell and cell.model for cell in row)),
            )
            for row in cells
        )
        return Kind(name, tuple(values), name, inner.parquet and "[2]" not in name)

    row = st.sampled_from(sizes).flatmap(lambda size: st.lists(cell_of(inner), min_size=size, max_size=size))
    return st.lists(row, min_size=2, max_size=4).map(of)


def literal(cell: Value | None, kind: str) -> str:
    return f"CAST({'NULL' if cell is None else cell.sql} AS {kind})"


def cell_of(kind: Kind) -> st.SearchStrategy[Value | None]:
    return st.one_of(st.none(), st.sampled_from(kind.values), st.sampled_from(kind.values))


def records(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    """Structs, maps and unions of values of two kinds."""
    return _records(inner).filter(lambda kind: bool(kind.values))


@st.composite
def _records(draw: st.DrawFn, inner: st.SearchStrategy[Kind]) -> Kind:
    one, two = draw(inner), draw(inner)
    shape = draw(st.sampled_from(["struct", "map", "union"]))
    pairs = draw(st.lists(st.tuples(cell_of(one), cell_of(two)), min_size=2, max_size=4))
    parquet = one.parquet and two.parquet and shape != "union"
    if shape == "struct":
        name = f'STRUCT("a" {one.name}, "JSON x" {two.name})'
        values = [
            Value(f"{{'a': {literal(a, one.name)}, 'JSON x': {literal(b, two.name)}}}", (a and a.model, b and b.model))
            for a, b in pairs
        ]
    elif shape == "map":
        name = f"MAP(INTEGER, {two.name})"
        values = [
            Value(f"MAP {{{i % 2}: {literal(b, two.name)}}}", (i % 2, b and b.model)) for i, (_, b) in enumerate(pairs)
        ]
    else:
        name = f"UNION(a {one.name}, b {two.name})"
        values = []
        for a, b in pairs:
            if a is not None:
                values.append(Value(f"union_value(a := {literal(a, one.name)})", ("a", a.model)))
            if b is not None:
                values.append(Value(f"union_value(b := {literal(b, two.name)})", ("b", b.model)))
    return Kind(name, tuple(values), name, parquet)


scalars = st.sampled_from(SCALARS)
special = st.sampled_from([VARIANTS, GEOMETRIES])


def nested(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    lists = inner.flatmap(lambda kind: listed(kind, f"{kind.name}[]", (0, 1, 2)))
    arrays = inner.flatmap(lambda kind: listed(kind, f"{kind.name}[2]", (2,)))
    return st.one_of(lists, arrays, records(inner))


shallow = nested(scalars)
kinds = st.one_of(scalars, scalars, scalars, scalars, special, shallow, nested(shallow))


@dataclass(frozen=True)
class Cell:
    """A cell as both kinds of source have it: an SQL literal, and the text in a CSV file (None for an empty cell)."""

    sql: str
    text: str | None
    model: Hashable


NULL = Cell("NULL", None, None)
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Side:
    """A relation: how it is stored (`table`, `parquet`, `csv`), the types of its columns, its rows."""

    storage: str
    types: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Pair:
    """Two relations; the first `keys` columns are the key."""

    old: Side
    new: Side
    keys: int


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """A relation, and another that a few edits make of it, each stored in some way."""
    storages = draw(st.tuples(*[st.sampled_from(["table", "parquet", "csv"])] * 2))
    with_text = "csv" in storages
    key = draw(st.sampled_from([SCALARS[4], SCALARS[4], None, None])) or draw(scalars)
    columns = [key, *draw(st.lists(kinds, min_size=1, max_size=3))]
    width = draw(st.sampled_from([1, 1, 2])) if len(columns) > 2 else 1
    if with_text:
        columns = [kind if spelled(kind) else draw(scalars.filter(spelled)) for kind in columns]
    partners = [draw(partner(kind, with_text)) for kind in columns]
    old = [tuple(draw(st.tuples(*map(cells, columns)))) for _ in range(draw(st.integers(0, 6)))]
    new = draw(edited(old, columns, partners))
    both_text = storages == ("csv", "csv")
    return Pair(
        _side(draw, storages[0], columns, old, both_text=both_text),
        _side(draw, storages[1], partners, new, both_text=both_text),
        width,
    )


def spelled(kind: Kind) -> bool:
    return all(value.texts for value in kind.values)


def partner(kind: Kind, with_text: bool) -> st.SearchStrategy[Kind]:
    """The kind on the other side: mostly the same, else one that compares by value."""
    others = [other for other in SCALARS if other.group == kind.group and kind in SCALARS]
    same = st.just(kind)
    return same if with_text or not others else st.one_of(same, same, same, st.sampled_from(others))


def cells(kind: Kind) -> st.SearchStrategy[Value | None]:
    few = kind.values[:24]
    return st.one_of(st.sampled_from(few), st.sampled_from(few), st.sampled_from(kind.values), st.none())


@st.composite
def edited(
    draw: st.DrawFn, old: list[tuple[Value | None, ...]], columns: Sequence[Kind], partners: Sequence[Kind]
) -> list[tuple[Value | None, ...]]:
    new = list(old)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 4]))):
        if not new:
            break
        at, column = draw(st.integers(0, len(new) - 1)), draw(st.integers(0, len(columns) - 1))
        match draw(st.sampled_from(["lose", "double", "cell", "cell", "add"])):
            case "lose":
                del new[at]
            case "double":
                new.append(new[at])
            case "add":
                new.append(draw(st.tuples(*map(cells, columns))))
            case _:
                new[at] = (*new[at][:column], draw(cells(columns[column])), *new[at][column + 1 :])
    held = [{value.model: value for value in kind.values} for kind in partners]
    result = []
    for row in new:
        moved = []
        for value, known, kind, source in zip(row, held, partners, columns, strict=True):
            if value is None or kind is source:
                moved.append(value)
            else:
                moved.append(known.get(value.model) or draw(st.sampled_from(kind.values)))
        result.append(tuple(moved))
    return draw(st.permutations(result))


def _side(
    draw: Callable[[st.SearchStrategy[object]], object],
    storage: str,
    columns: Sequence[Kind],
    rows: Sequence[tuple[Value | None, ...]],
    *,
    both_text: bool,
) -> Side:
    if storage == "parquet" and not all(kind.parquet for kind in columns):
        storage = "table"
    made = [
        tuple(_cell(draw, value, kind, storage, both_text) for value, kind in zip(row, columns, strict=True))
        for row in rows
    ]
    return Side(storage, tuple(kind.name for kind in columns), tuple(made))


def _cell(draw: Callable[..., object], value: Value | None, kind: Kind, storage: str, both_text: bool) -> Cell:
    if value is None:
        return NULL
    if storage != "csv":
        return Cell(literal(value, kind.name), None, value.model)
    strange = bool(kind.strange) and draw(st.integers(0, 19)) == 0
    text = str(draw(st.sampled_from(kind.strange if strange else value.texts)))
    return Cell("", text, ("text", text) if strange or both_text else value.model)
