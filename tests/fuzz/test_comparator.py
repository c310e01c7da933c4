"""Any two relations: each verdict and each count of the comparator is that of a multiset comparison in plain Python."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from olist_pipeline.tablediff import plan as plan_module
from olist_pipeline.tablediff.sources import compare_sources
from tests.fuzz.profile import fuzzed
from tests.fuzz.relations import Pair, Side, pairs
from tests.pipeline.tablediff.reference import Expected, expected
from tests.pipeline.tablediff.tables import contract

pytestmark = [pytest.mark.fuzz, pytest.mark.long]


def names(side: Side) -> list[str]:
    return [f"c {i}" for i in range(len(side.types))]


Stored = tuple[str, list[str] | None]


def written(side: Side, name: str, folder: Path, con: duckdb.DuckDBPyConnection) -> Stored:
    """Store a relation; return the source that names it and the types that it is stored in, None for text.

    Tables are in the database of the connection. A Parquet file has no ENUM.
    """
    if side.storage == "csv":
        lines: list[list[str | None]] = [[*names(side)], *([cell.text for cell in row] for row in side.rows)]
        text = "".join(
            ",".join("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in line) + "\n"
            for line in lines
        )
        (folder / f"{name}.csv").write_text(text, "utf-8", newline="")
        return str(folder / f"{name}.csv"), None
    columns = ", ".join(f'"{column}" {kind}' for column, kind in zip(names(side), side.types, strict=True))
    con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    if side.rows:
        con.execute(
            f"INSERT INTO {name} " + " UNION ALL ".join(f"SELECT {', '.join(c.sql for c in row)}" for row in side.rows)
        )
    if side.storage == "parquet":
        con.execute(f"COPY {name} TO '{folder / name}.parquet'")
        types = con.execute(f"DESCRIBE FROM '{folder / name}.parquet'").fetchall()
        return f"{folder / name}.parquet", [kind for _, kind, *_ in types]
    types = con.execute(f"DESCRIBE {name}").fetchall()
    return f"{folder / 'tables.duckdb'}:{name}", [kind for _, kind, *_ in types]


def wanted(pair: Pair) -> Expected:
    old, new = ([tuple(cell.model for cell in row) for row in side.rows] for side in (pair.old, pair.new))
    return expected(old, new, pair.keys, (0.0,) * (len(pair.old.types) - pair.keys))


@fuzzed(80)
@given(pair=pairs(), block=st.sampled_from([48, 48, 1]))
def check(folder: Path, pair: Pair, block: int) -> None:
    with duckdb.connect(str(folder / "tables.duckdb")) as con:
        (old, before), (new, after) = (written(*side, folder, con) for side in ((pair.old, "old"), (pair.new, "new")))
    truth = wanted(pair)
    with patch.object(plan_module, "BLOCK_COLUMNS", block):
        found = compare_sources(old, new, contract(*names(pair.old)[: pair.keys], exact_floats=True))

    event(f"{pair.old.storage} and {pair.new.storage}")
    event("identical" if found.identical else "differing")
    assert found.identical == (truth.identical and (before == after or None in (before, after))), found.sentences()
    assert (found.equal, found.unequal) == (truth.equal, truth.unequal), found.sentences()
    assert (found.only_in_old, found.only_in_new) == (truth.only_in_old, truth.only_in_new), found.sentences()
    for groups, counts in ((found.duplicates, truth.duplicates), (found.null_keys, truth.null_keys)):
        assert (groups.rows_old, groups.rows_new, groups.identical, groups.differing) == counts, found.sentences()
    assert tuple(column.unequal for column in found.columns) == truth.columns, found.sentences()
    assert Counter(len(sample.unequal) > 0 for sample in found.unequal_samples)[False] == 0


def test_every_verdict_is_that_of_the_reference(tmp_path):
    check(tmp_path)
