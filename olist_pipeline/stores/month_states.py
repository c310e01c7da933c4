"""Month states: which months of assets are present, missing or failed, as Dagster stored it.

What belongs here: reading the states from Dagster's own tables, as `run_history` does and for the same reason. What
does not: which assets and months there are, and mending any.

A month is what the latest attempt at it left: `failed` where that run failed before it made the month. A run that is at
work, or that was cancelled, leaves the month as it is. Dagster's own answer, which keeps what it has computed once for
each set of partitions, is compared with this in a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from olist_pipeline.stores.postgres import query

MonthState = Literal["present", "missing", "failed"]
FROM_WORST: tuple[MonthState, ...] = ("failed", "missing", "present")


def month_states(url: str, assets: Iterable[Sequence[str]], months: Iterable[date]) -> dict[date, MonthState]:
    """Return the worst state of `assets`, each a path, in each of `months`.

    What is running right now counts as present, and so does everything where there is no asset. The tables of Dagster
    must be there.
    """
    wanted = {month.isoformat(): month for month in months}
    keys = [json.dumps(list(path)) for path in assets]
    states: dict[date, MonthState] = dict.fromkeys(wanted.values(), "present")
    for row in query(url, _STATES, {"keys": keys, "months": list(wanted)}):
        month = wanted[row["month"]]
        states[month] = min(states[month], row["state"], key=FROM_WORST.index)
    return states


_STATES = """
WITH wanted AS (
    SELECT asset_key, month FROM unnest(%(keys)s::text[]) AS asset_key, unnest(%(months)s::text[]) AS month
), made AS (
    SELECT asset_key, partition AS month, max(id) AS id FROM event_logs
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key = ANY(%(keys)s) AND partition = ANY(%(months)s)
    GROUP BY asset_key, partition
), attempts AS (
    SELECT planned.asset_key, planned.id, runs.status, first.value AS first, last.value AS last
    FROM event_logs AS planned JOIN runs USING (run_id)
    JOIN run_tags AS first ON first.run_id = planned.run_id
     AND first.key IN ('dagster/partition', 'dagster/asset_partition_range_start')
    JOIN run_tags AS last ON last.run_id = planned.run_id
     AND last.key IN ('dagster/partition', 'dagster/asset_partition_range_end')
    WHERE planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' AND planned.asset_key = ANY(%(keys)s)
      AND runs.status <> 'SUCCESS'
), latest AS (
    SELECT DISTINCT ON (asset_key, month) asset_key, month, status
    FROM wanted LEFT JOIN made USING (asset_key, month) JOIN attempts USING (asset_key)
    WHERE month BETWEEN first AND last AND attempts.id > coalesce(made.id, 0)
    ORDER BY asset_key, month, attempts.id DESC
)
SELECT month, CASE
    WHEN latest.status = 'FAILURE' THEN 'failed'
    WHEN made.id IS NOT NULL OR latest.status <> 'CANCELED' THEN 'present'
    ELSE 'missing' END AS state
FROM wanted LEFT JOIN made USING (asset_key, month) LEFT JOIN latest USING (asset_key, month)
"""
