"""Defects planted in the tables of the warehouse: each is found, with the right table, column and key named.

The tables have the columns, types and keys that their models declare, and made-up rows. A defect is SQL on the new
table; old and replay stay as they are, so the verdict must be `differs` whatever was quarantined.

The comparator knows nothing of a table but its columns, types and key, so not every kind of defect is planted in
every table: each is planted in `SPREAD` tables of as many forms (by month or whole, wide or narrow, one column or more
as the key), and each table has several. `test_no_kind_and_no_table_is_left_out` holds that. So it is with the ways in
which the same rows come to stand otherwise. Nothing is untested by it:
every kind in every type of column is in `tests/pipeline/tablediff` (`test_traps`, `test_cells`), and what does depend
on the table, its declared key, columns and measures, is tried on each of them here.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pytest

from olist_pipeline.orchestration.dbt_projects import ensure_manifest
from olist_pipeline.parity.attribution import Evidence, ParityVerdict, parity_of
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.warehouse import WarehouseTable, load_manifest, warehouse_tables
from tests.tables import MONTHLY_TABLES, TABLES

ROWS = 30
VICTIM, OTHER = 7, 12
QUARANTINE = {"ORDER_WITHOUT_ITEMS": 775}
SPREAD = 4
"""In how many tables each kind of defect is planted."""
WIDE = 12
"""From how many columns on a table is wide."""

VALUES = {
    "varchar": "'t' || lpad(({n} * 7919 % 1000)::VARCHAR, 4, '0') || '-{column}'",
    "bigint": "({n} * 31 + {position})::BIGINT",
    "integer": "({n} * 31 + {position})::INTEGER",
    "boolean": "hash({n}, {position}) % 2 = 0",
    "double": "({n} * 1.25 + {position})::DOUBLE",
    "date": "DATE '2017-01-01' + ({n} * 3 + {position})::INTEGER",
    "timestamp": "TIMESTAMP '2017-01-01 10:00:00' + INTERVAL ({n} * 1000 + {position}) SECOND",
}


@dataclass(frozen=True)
class Shape:
    """A table of the warehouse: its columns with their types, and its key."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]

    def of(self, *types: str) -> list[str]:
        """Return the columns of these types that are no part of the key."""
        return [c for c, kind in self.columns.items() if kind.startswith(types) and c not in self.key]

    @property
    def form(self) -> tuple[bool, bool, bool]:
        """Return whether the table is built by month, wide, and has a key of several columns."""
        return self.name in MONTHLY_TABLES, len(self.columns) >= WIDE, len(self.key) > 1

    def rows(self) -> str:
        """Return a query of `ROWS` rows, without nulls but in one row."""
        cells = [self._cell(position, column, kind) for position, (column, kind) in enumerate(self.columns.items())]
        return f"SELECT {', '.join(cells)} FROM range({ROWS}) AS r(n)"

    def _cell(self, position: int, column: str, kind: str) -> str:
        if kind.startswith("decimal"):
            value = f"({{n}} + {position} + 0.25)::{kind}".format(n="n")
        else:
            value = VALUES[kind].format(n="n", position=position, column=column)
        return f"{value} AS {column}" if column in self.key else f"CASE WHEN n <> 3 THEN {value} END AS {column}"


@pytest.fixture(scope="module")
def manifest(parsed_project):
    return load_manifest(ensure_manifest(parsed_project))


@pytest.fixture(scope="module")
def tables(manifest) -> dict[str, WarehouseTable]:
    return {table.name: table for table in warehouse_tables(manifest)}


@pytest.fixture(scope="module")
def shapes(manifest, tables) -> dict[str, Shape]:
    models = {node["alias"]: node for node in manifest["nodes"].values() if node["fqn"][1:2] == ["new"]}
    types = {
        name: {column: cell["data_type"].lower() for column, cell in models[name]["columns"].items()} for name in tables
    }
    return {name: Shape(name, types[name], table.key) for name, table in tables.items()}


def test_a_table_declares_measures_that_it_can_sum_up(shapes, tables):
    for name, table in tables.items():
        summable = set(shapes[name].of("bigint", "integer", "decimal", "double"))
        assert set(table.measures) <= summable, name
    assert {name for name, table in tables.items() if not table.measures} == {
        "dim_date",
        "dim_product",
        "dim_seller",
        "fact_reviews",
        "int_deliveries",
        "int_products",
    }, "attributes alone, nothing that a dashboard adds up"


@dataclass(frozen=True)
class Trap:
    """A defect: its kind, statements on `new`, the columns that must be named, whether the victim's key must be."""

    kind: str
    statements: tuple[str, ...]
    columns: frozenset[str] = frozenset()
    names_key: bool = True


def where(shape: Shape, row: int) -> str:
    """Return the condition that finds a row by its key."""
    key = ", ".join(shape.key)
    return f"({key}) = (SELECT ({key}) FROM old.t ORDER BY {key} LIMIT 1 OFFSET {row})"


def update(shape: Shape, change: str, row: int = VICTIM) -> str:
    return f"UPDATE new.t SET {change} WHERE {where(shape, row)}"


def value_of(shape: Shape, column: str, row: int) -> str:
    return f"(SELECT {column} FROM old.t WHERE {where(shape, row)})"


def one_of(choices: list, name: str) -> list:
    """Return one of `choices`, another one for another name; none where there is none."""
    return [choices[zlib.crc32(f"{name}{choices}".encode()) % len(choices)]] if choices else []


def cell_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of single cells, each kind in one of the columns that can have it."""
    changes: list[tuple[str, list[str], str]] = [
        ("another text", shape.of("varchar"), "{c} = {c} || 'x'"),
        ("a trailing blank", shape.of("varchar"), "{c} = {c} || ' '"),
        ("another case", shape.of("varchar"), "{c} = upper({c})"),
        ("an empty text for a text", shape.of("varchar"), "{c} = ''"),
        ("one more", shape.of("bigint", "integer"), "{c} = {c} + 1"),
        ("a cent more", shape.of("decimal"), "{c} = {c} + 0.01"),
        ("another sign", shape.of("decimal", "double"), "{c} = -{c}"),
        ("a millionth more", shape.of("double"), "{c} = {c} * 1.000001"),
        ("NaN", shape.of("double"), "{c} = 'nan'::DOUBLE"),
        ("infinity", shape.of("double"), "{c} = 'inf'::DOUBLE"),
        ("the other truth", shape.of("boolean"), "{c} = NOT {c}"),
        ("the next day", shape.of("date"), "{c} = {c} + 1"),
        ("a microsecond later", shape.of("timestamp"), "{c} = {c} + INTERVAL 1 MICROSECOND"),
        ("NULL for a value", shape.of(""), "{c} = NULL"),
    ]
    for kind, columns, change in changes:
        for column in one_of(columns, kind):
            yield Trap(kind, (update(shape, change.format(c=column)),), frozenset({column}))


def column_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of whole columns: swaps, shifts, and sums that stay the same."""
    for column in one_of(shape.of("bigint", "decimal", "double", "varchar", "date", "timestamp"), "swapped"):
        one, two = value_of(shape, column, VICTIM), value_of(shape, column, OTHER)
        swap = update(shape, f"{column} = {two}"), update(shape, f"{column} = {one}", OTHER)
        yield Trap("values swapped between two rows", swap, frozenset({column}))
    for column in one_of(shape.of("bigint", "decimal"), "moved"):
        moved = update(shape, f"{column} = {column} + 1"), update(shape, f"{column} = {column} - 1", OTHER)
        yield Trap("changes that cancel out in a sum", moved, frozenset({column}))
    for column in one_of(shape.of("date", "timestamp"), "shifted"):
        shifted = f"UPDATE new.t SET {column} = {column} + INTERVAL 1 MONTH"
        yield Trap("a column shifted by a month", (shifted,), frozenset({column}), names_key=False)
    by_type: dict[str, list[str]] = {}
    for column in shape.of(""):
        by_type.setdefault(shape.columns[column], []).append(column)
    for one, two, *_ in one_of([columns for columns in by_type.values() if len(columns) > 1], "crossed"):
        crossed = f"UPDATE new.t SET {one} = {two}, {two} = {one}"
        yield Trap("two columns swapped", (crossed,), frozenset({one, two}), names_key=False)


def row_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of whole rows."""
    lose = f"DELETE FROM new.t WHERE {where(shape, VICTIM)}"
    double = f"INSERT INTO new.t SELECT * FROM old.t WHERE {where(shape, VICTIM)}"
    double_other = f"INSERT INTO new.t SELECT * FROM old.t WHERE {where(shape, OTHER)}"
    yield Trap("a lost row", (lose,))
    yield Trap("a doubled row", (double,))
    yield Trap("a lost and a doubled row", (lose, double_other))
    yield Trap("a row twice more", (double, double))
    yield Trap("no rows at all", ("DELETE FROM new.t",), names_key=False)
    yield Trap("half of the rows", (f"DELETE FROM new.t WHERE hash({shape.key[0]}) % 2 = 0",), names_key=False)
    for place, part in enumerate(shape.key):
        yield Trap(f"NULL in column {place + 1} of the key", (update(shape, f"{part} = NULL"),))


def schema_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of the schema, the cells left as they are."""
    last = list(shape.columns)[-1]
    if last not in shape.key:
        yield Trap("a missing column", (f"ALTER TABLE new.t DROP {last}",), frozenset({last}), names_key=False)
    extra = "ALTER TABLE new.t ADD COLUMN invented INTEGER"
    yield Trap("an extra column", (extra,), frozenset({"invented"}), names_key=False)
    for was, kind in (("bigint", "INTEGER"), ("decimal", "DOUBLE"), ("timestamp", "DATE")):
        for column in shape.of(was)[:1]:
            retyped = f"ALTER TABLE new.t ALTER {column} TYPE {kind}"
            yield Trap(f"{was} as {kind}", (retyped,), frozenset({column}), names_key=False)
    first, *others = shape.columns
    reordered = f"CREATE OR REPLACE TABLE new.t AS SELECT {', '.join([*others, first])} FROM old.t"
    yield Trap("columns in another order", (reordered,), frozenset({first}), names_key=False)


TRAPS: tuple[Callable[[Shape], Iterator[Trap]], ...] = (cell_traps, column_traps, row_traps, schema_traps)


def spread_over(shapes: Mapping[str, Shape], possible: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return, by kind, `SPREAD` of the tables where it is `possible`: of other forms first, then the least hit."""
    hits: Counter[str] = Counter()
    chosen: dict[str, list[str]] = defaultdict(list)
    for kind in sorted(possible, key=lambda kind: (len(possible[kind]), kind)):
        for _ in possible[kind][:SPREAD]:
            forms = {shapes[table].form for table in chosen[kind]}
            left = [table for table in possible[kind] if table not in chosen[kind]]
            table = min(left, key=lambda table: (shapes[table].form in forms, hits[table], table))
            chosen[kind].append(table)
            hits[table] += 1
    return chosen


@pytest.fixture(scope="module")
def possible(shapes) -> dict[str, dict[str, Trap]]:
    """All defects, by kind and table."""
    found: dict[str, dict[str, Trap]] = defaultdict(dict)
    for table in sorted(shapes):
        for trap in (trap for traps in TRAPS for trap in traps(shapes[table])):
            assert table not in found[trap.kind], f"{trap.kind} stands for two defects of {table}"
            found[trap.kind][table] = trap
    return found


@pytest.fixture(scope="module")
def planted(shapes, possible) -> dict[str, list[Trap]]:
    """The defects that are planted, by table."""
    chosen = spread_over(shapes, {kind: list(traps) for kind, traps in possible.items()})
    return {
        table: [possible[kind][table] for kind, tables in chosen.items() if table in tables] for table in sorted(shapes)
    }


def test_no_kind_and_no_table_is_left_out(shapes, possible, planted):
    assert set(planted) == set(TABLES)
    assert min(len(traps) for traps in planted.values()) >= 3
    assert len(possible) >= 30
    for kind, traps in possible.items():
        tables = [table for table in planted if kind in {trap.kind for trap in planted[table]}]
        assert len(tables) == min(SPREAD, len(traps)), kind
        forms, possible_forms = ({shapes[table].form for table in some} for some in (tables, traps))
        assert len(forms) == min(SPREAD, len(possible_forms)), kind
    assert len({shape.form for shape in shapes.values()}) >= SPREAD


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        # At thirty rows, planning the order of joins over wide tables takes longer than the joins.
        connection.execute("SET disabled_optimizers = 'join_order'")
        for schema in ("old", "replay", "new"):
            connection.execute(f"CREATE SCHEMA {schema}")
        yield connection


def lay_out(con: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    for schema in ("old", "replay", "new"):
        con.execute(f"CREATE OR REPLACE TABLE {schema}.t AS {shape.rows()}")


def restored(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE new.t AS SELECT * FROM old.t")


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_planted_defect_is_found_and_named(con, shapes, planted, table):
    shape = shapes[table]
    lay_out(con, shape)
    contract = Contract(table, shape.key)
    key = ", ".join(shape.key)
    [victim] = con.execute(f"SELECT {key} FROM old.t ORDER BY {key} LIMIT 1 OFFSET {VICTIM}").fetchall()
    for trap in planted[table]:
        restored(con)
        for statement in trap.statements:
            con.execute(statement)
        found = compare(con, "old.t", "new.t", contract)
        said = " ".join(found.sentences())
        assert not found.identical, trap.kind
        assert table in said, trap.kind
        named = {c.column for c in found.differing_columns} | {difference.column for difference in found.schema}
        assert trap.columns <= named, (trap.kind, named)
        if trap.names_key:
            assert all(str(part) in said for part in victim), (trap.kind, said)


def first_of_its_form(shapes: Mapping[str, Shape], table: str) -> bool:
    return table == min(name for name, shape in shapes.items() if shape.form == shapes[table].form)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_defect_is_never_explained_by_quarantine(con, shapes, tables, table):
    """Old may differ from new in any way; new must be the twin of replay."""
    shape = shapes[table]
    for schema in ("old", "replay", "new"):
        con.execute(f"CREATE OR REPLACE TABLE {schema}.{table} AS {shape.rows()}")
    if first_of_its_form(shapes, table):
        assert parity_of(con, tables[table], Evidence({})).verdict is ParityVerdict.IDENTICAL
    key = ", ".join(shape.key)
    for schema in ("replay", "new"):
        con.execute(
            f"DELETE FROM {schema}.{table} WHERE ({key}) = (SELECT ({key}) FROM old.{table} ORDER BY {key} LIMIT 1)"
        )
    assert parity_of(con, tables[table], Evidence(QUARANTINE)).verdict is ParityVerdict.EXPLAINED
    if first_of_its_form(shapes, table):
        assert parity_of(con, tables[table], Evidence({})).verdict is ParityVerdict.DIFFERS, "nothing was quarantined"
    con.execute(f"DELETE FROM new.{table} WHERE ({key}) = (SELECT ({key}) FROM new.{table} ORDER BY {key} LIMIT 1)")
    assert parity_of(con, tables[table], Evidence(QUARANTINE)).verdict is ParityVerdict.DIFFERS


def rebuilt(shape: Shape, files: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield ways in which the same rows come to stand otherwise in a table; `files` is a folder for one of them."""
    as_old = "CREATE OR REPLACE TABLE new.t AS SELECT * FROM old.t"
    yield "in another order", (f"{as_old} ORDER BY ALL DESC",)
    yield "in a random order", (f"{as_old} ORDER BY hash({shape.key[0]}, 42)",)
    yield (
        "inserted in two parts",
        (
            f"{as_old} WHERE hash({shape.key[0]}) % 2 = 0",
            f"INSERT INTO new.t SELECT * FROM old.t WHERE hash({shape.key[0]}) % 2 <> 0",
        ),
    )
    yield (
        "deleted and inserted again",
        (
            as_old,
            f"DELETE FROM new.t WHERE {where(shape, VICTIM)}",
            f"INSERT INTO new.t SELECT * FROM old.t WHERE {where(shape, VICTIM)}",
        ),
    )
    yield (
        "by way of Parquet files",
        (
            f"COPY old.t TO '{files}' (FORMAT parquet, PER_THREAD_OUTPUT, ROW_GROUP_SIZE 7)",
            f"CREATE OR REPLACE TABLE new.t AS SELECT * FROM read_parquet('{files}/*.parquet')",
        ),
    )
    for number in shape.of("bigint", "decimal", "double")[:1]:
        yield (
            "changed and changed back",
            (
                as_old,
                f"UPDATE new.t SET {number} = {number} + 1",
                f"UPDATE new.t SET {number} = {number} - 1",
            ),
        )


def test_tables_that_hold_the_same_are_never_reported(con, shapes, tmp_path):
    ways = {table: dict(rebuilt(shape, str(tmp_path / table))) for table, shape in shapes.items()}
    possible = {way: [table for table in ways if way in ways[table]] for each in ways.values() for way in each}
    chosen = spread_over(shapes, possible)
    assert {len(tables) for tables in chosen.values()} == {SPREAD}
    for way, table in ((way, table) for way, tables in chosen.items() for table in tables):
        lay_out(con, shapes[table])
        for statement in ways[table][way]:
            con.execute(statement)
        found = compare(con, "old.t", "new.t", Contract(table, shapes[table].key))
        assert found.identical, (table, way, found.sentences())
        assert found.ledger.old == found.ledger.new
