"""Intake a part at a time, what all rows are looked at for in between: the rows of the table as it is read at once."""

from itertools import accumulate

import polars as pl
import pytest

from olist_pipeline.intake.by_parts import PART, FinishingOfParts, PartFile, read_part
from olist_pipeline.intake.lookups import looked_up
from olist_pipeline.intake.parts import kept_files
from olist_pipeline.intake.rows import ingest, parents_of
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDERS
from olist_pipeline.landing.folder import files_of, readable_landing
from olist_pipeline.staging import intake_path, write_frame
from tests.pipeline.intake.test_bad_input import MONTHS
from tests.pipeline.landing.test_parts import TABLES, in_parts, whole  # noqa: F401 - a fixture


@pytest.mark.parametrize("table", [ORDERS, ORDER_ITEMS], ids=lambda table: table.name)
def test_parts_are_finished_as_the_whole(whole, tmp_path, table):  # noqa: F811 - the fixture
    settings = in_parts(whole, tmp_path, (10, 30))
    landing = readable_landing(settings, TABLES)
    orders = ingest(ORDERS, landing, MONTHS)
    write_frame(orders, intake_path(settings.intake, "orders"))
    parents = parents_of(orders.lazy(), ORDERS) if table.parent else None
    expected = ingest(table, landing, MONTHS, parents.collect() if parents is not None else None)

    files = files_of(landing, table)
    records = [read_part(table, PartFile(number, path)) for number, path in enumerate(files)]
    assert len(records) == 3
    kept = [
        pl.scan_parquet(kept_files(path)["rows"], glob=False).with_columns(pl.lit(number).alias(PART))
        for number, path in enumerate(files)
    ]
    # In another order than they came in.
    found = looked_up(pl.concat(kept).reverse(), table, parents).collect()
    for (number,), rows in found.partition_by(PART, as_dict=True).items():
        write_frame(rows, tmp_path / "looked_up" / f"{PART}={number}" / "some.parquet")
    above = intake_path(settings.intake, "orders") if table.parent else None
    finishing = FinishingOfParts(table, MONTHS, above, tmp_path / "looked_up", tmp_path / "done")
    offsets = accumulate(records, initial=0)
    done = [
        finishing(PartFile(number, path, offset))
        for number, (path, offset) in enumerate(zip(files, offsets, strict=False))
    ]
    rows = pl.concat([pl.read_parquet(path, glob=False) for kind in zip(*done, strict=True) for path in kind])
    assert rows.equals(expected)
    assert {"DUPLICATE_KEY", "MALFORMED_ROW"} <= {code for text in expected["rules"] for code in text.split(",")}
