"""Defects planted in every table of the warehouse: each is found, with the right table, column and key named.

The tables have the columns, types and keys that their models declare, and made-up rows. A defect is SQL on the new
table; old and replay stay as they are, so the verdict must be `differs` whatever was quarantined.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import pytest

from olist_pipeline.orchestration.dbt import ensure_manifest
from olist_pipeline.parity.attribution import Evidence, ParityVerdict, parity_of
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.warehouse import NEW_PREFIX, WarehouseTable, load_manifest, warehouse_tables
from tests.tables import TABLES

ROWS = 30
VICTIM, OTHER = 7, 12
QUARANTINE = {"ORDER_WITHOUT_ITEMS": 775}

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
    models = {node["name"].removeprefix(NEW_PREFIX): node for node in manifest["nodes"].values()}
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
    """A defect: statements on `new`, the columns that must be named, and whether the victim's key must be."""

    name: str
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
    """Yield defects of single cells, each kind in one of the columns that can have it, every other kind a table.

    `test_traps` and `test_cells` have all kinds; here each table takes its turn.
    """
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
    for name, columns, change in changes[zlib.crc32(shape.name.encode()) % 2 :: 2]:
        for column in one_of(columns, name):
            yield Trap(f"{name} in {column}", (update(shape, change.format(c=column)),), frozenset({column}))


def column_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of whole columns: swaps, shifts, and sums that stay the same."""
    for column in one_of(shape.of("bigint", "decimal", "double", "varchar", "date", "timestamp"), "swapped"):
        one, two = value_of(shape, column, VICTIM), value_of(shape, column, OTHER)
        swap = update(shape, f"{column} = {two}"), update(shape, f"{column} = {one}", OTHER)
        yield Trap(f"values of {column} swapped between two rows", swap, frozenset({column}))
    for column in one_of(shape.of("bigint", "decimal"), "moved"):
        moved = update(shape, f"{column} = {column} + 1"), update(shape, f"{column} = {column} - 1", OTHER)
        yield Trap(f"changes of {column} that cancel out in its sum", moved, frozenset({column}))
    for column in one_of(shape.of("date", "timestamp"), "shifted"):
        shifted = f"UPDATE new.t SET {column} = {column} + INTERVAL 1 MONTH"
        yield Trap(f"{column} shifted by a month", (shifted,), frozenset({column}), names_key=False)
    by_type: dict[str, list[str]] = {}
    for column in shape.of(""):
        by_type.setdefault(shape.columns[column], []).append(column)
    for one, two, *_ in one_of([columns for columns in by_type.values() if len(columns) > 1], "crossed"):
        crossed = f"UPDATE new.t SET {one} = {two}, {two} = {one}"
        yield Trap(f"{one} swapped with {two}", (crossed,), frozenset({one, two}), names_key=False)


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
    for part in shape.key:
        yield Trap(f"NULL in the key {part}", (update(shape, f"{part} = NULL"),))


def schema_traps(shape: Shape) -> Iterator[Trap]:
    """Yield defects of the schema, the cells left as they are."""
    last = list(shape.columns)[-1]
    if last not in shape.key:
        yield Trap("a missing column", (f"ALTER TABLE new.t DROP {last}",), frozenset({last}), names_key=False)
    extra = "ALTER TABLE new.t ADD COLUMN invented INTEGER"
    yield Trap("an extra column", (extra,), frozenset({"invented"}), names_key=False)
    for columns, kind in (
        (shape.of("bigint"), "INTEGER"),
        (shape.of("decimal"), "DOUBLE"),
        (shape.of("timestamp"), "DATE"),
    ):
        for column in columns[:1]:
            retyped = f"ALTER TABLE new.t ALTER {column} TYPE {kind}"
            yield Trap(f"{column} as {kind}", (retyped,), frozenset({column}), names_key=False)
    first, *others = shape.columns
    reordered = f"CREATE OR REPLACE TABLE new.t AS SELECT {', '.join([*others, first])} FROM old.t"
    yield Trap("columns in another order", (reordered,), frozenset({first}), names_key=False)


TRAPS: tuple[Callable[[Shape], Iterator[Trap]], ...] = (cell_traps, column_traps, row_traps, schema_traps)


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
def test_every_planted_defect_is_found_and_named(con, shapes, table):
    shape = shapes[table]
    lay_out(con, shape)
    contract = Contract(table, shape.key)
    key = ", ".join(shape.key)
    [victim] = con.execute(f"SELECT {key} FROM old.t ORDER BY {key} LIMIT 1 OFFSET {VICTIM}").fetchall()
    planted = [trap for kind in TRAPS for trap in kind(shape)]
    assert len({trap.name for trap in planted}) == len(planted) >= 12
    for trap in planted:
        restored(con)
        for statement in trap.statements:
            con.execute(statement)
        found = compare(con, "old.t", "new.t", contract)
        said = " ".join(found.sentences())
        assert not found.identical, trap.name
        assert table in said, trap.name
        named = {c.column for c in found.differing_columns} | {difference.column for difference in found.schema}
        assert trap.columns <= named, (trap.name, named)
        if trap.names_key:
            assert all(str(part) in said for part in victim), (trap.name, said)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_defect_is_never_explained_by_quarantine(con, shapes, tables, table):
    """Old may differ from new in any way; new must be the twin of replay."""
    shape = shapes[table]
    for schema in ("old", "replay", "new"):
        con.execute(f"CREATE OR REPLACE TABLE {schema}.{table} AS {shape.rows()}")
    assert parity_of(con, tables[table], Evidence({})).verdict is ParityVerdict.IDENTICAL
    key = ", ".join(shape.key)
    for schema in ("replay", "new"):
        con.execute(
            f"DELETE FROM {schema}.{table} WHERE ({key}) = (SELECT ({key}) FROM old.{table} ORDER BY {key} LIMIT 1)"
        )
    assert parity_of(con, tables[table], Evidence(QUARANTINE)).verdict is ParityVerdict.EXPLAINED
    assert parity_of(con, tables[table], Evidence({})).verdict is ParityVerdict.DIFFERS, "nothing was quarantined"
    con.execute(f"DELETE FROM new.{table} WHERE ({key}) = (SELECT ({key}) FROM new.{table} ORDER BY {key} LIMIT 1)")
    assert parity_of(con, tables[table], Evidence(QUARANTINE)).verdict is ParityVerdict.DIFFERS


def rebuilt(shape: Shape, folder) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield ways in which the same rows come to stand otherwise in a table."""
    files = folder / shape.name
    as_old = "CREATE OR REPLACE TABLE new.t AS SELECT * FROM old.t"
    number = (shape.of("bigint", "decimal", "double") or [None])[0]
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
    if number:
        yield (
            "changed and changed back",
            (
                as_old,
                f"UPDATE new.t SET {number} = {number} + 1",
                f"UPDATE new.t SET {number} = {number} - 1",
            ),
        )


@pytest.mark.parametrize("table", sorted(TABLES))
def test_tables_that_hold_the_same_are_never_reported(con, shapes, table, tmp_path):
    shape = shapes[table]
    lay_out(con, shape)
    for name, statements in rebuilt(shape, tmp_path):
        for statement in statements:
            con.execute(statement)
        found = compare(con, "old.t", "new.t", Contract(table, shape.key))
        assert found.identical, (name, found.sentences())
        assert found.ledger.old == found.ledger.new
