"""Event rows for tests, and appending them as the batch of a unit."""

from __future__ import annotations

import hashlib
from datetime import datetime

import polars as pl

from olist_pipeline.engine.history import EVENTS, numbered
from olist_pipeline.stores import appending

SCHEMA = {**EVENTS, "ordinal": pl.Int64}


def event(aggregate="o1", kind="OrderPlaced", payload='{"a": 1}', second=0):
    return {
        "event_type": kind,
        "context": "sales",
        "aggregate_type": "order",
        "aggregate_id": aggregate,
        "payload": payload,
        "occurred_at": datetime(2018, 1, 1, 0, 0, second),
    }


def frame(*rows):
    return pl.DataFrame([{**row, "ordinal": number} for number, row in enumerate(rows)], schema=SCHEMA)


def batch(rows, unit="2018-01"):
    digest = hashlib.blake2b(f"{unit}{rows.rows()}".encode(), digest_size=16).digest()
    return appending.Batch(unit, digest, numbered(rows).lazy())


def append(url, rows, run, unit="2018-01"):
    return appending.append(url, "sales", [batch(rows, unit)], run)
