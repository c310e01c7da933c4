"""The law of cells: what intake accepts, the old tree's casts read as the same value, however it is written."""

import random
from datetime import datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from olist_pipeline.intake.cast import typed

WRITTEN = {
    int: ("bigint", ["40", "9223372036854775807", "-1", "0"]),
    Decimal: ("decimal(18, 2)", ["58.90", "0.00", "999999999999.99", "-3.5", "7"]),
    float: ("double", ["-23.5505", "1e5", "0.1", "179e306"]),
    datetime: (
        "timestamp",
        ["2017-10-02 10:56:33", "2017-02-28", "2020-02-29 23:59:59", "1999-12-31 24:00:00", "0001-01-01", "9999-12-31"],
    ),
}
ENDS = ["", "", "", "", "0", "00", ".", ".0", ".000", ".0000000000"]


def other_ways(texts, times):
    """Return texts in which up to four characters came, went or are others."""
    chance = random.Random(7)
    for _ in range(times):
        text = list(chance.choice(texts))
        for _ in range(chance.randint(0, 4)):
            place = chance.randrange(len(text) + 1)
            text[place : place + chance.randint(0, 1)] = chance.choice(["", *"0123456789.-+eE _:TZ,0000.."])
        yield "".join(text) + chance.choice(ENDS)


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.__name__)
def test_what_is_accepted_is_what_the_old_tree_reads(kind):
    sql, texts = WRITTEN[kind]
    cells = pl.DataFrame({"cell": list(other_ways(texts, 3_000))}).with_row_index()
    with duckdb.connect() as connection:
        connection.register("cells", cells)
        rows = connection.execute(f"SELECT try_cast(trim(cell) AS {sql}) FROM cells ORDER BY index").fetchall()
    taken = cells.select(typed("cell", kind)).to_series().to_list()
    both = list(zip(cells["cell"], taken, (read for (read,) in rows), strict=True))
    assert sum(value is not None for value in taken) > 200
    assert [one for one in both if one[1] is not None and one[1] != one[2]] == []
