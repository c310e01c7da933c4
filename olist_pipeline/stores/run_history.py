"""Run history, as Dagster stored it: how runs ended, how long their old and new parts took, and the months they made.

What belongs here: reading Dagster's own tables, in the same PostgreSQL. What does not: writing to them, and what may be
read through Dagster itself where it is loaded anyway.

Dagster takes seconds to import, which a command that only reads need not wait for. The two tables, `runs` and
`event_logs`, and their columns are as old as Dagster's storage; a test reads what a real instance wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from olist_pipeline.stores.postgres import query

WHOLE_RUN = "dual_run"
"""The job that builds old and new from the same landing; of any other, their times are not of the same work."""

MonthState = Literal["present", "missing", "failed"]
FROM_WORST: tuple[MonthState, ...] = ("failed", "missing", "present")


@dataclass(frozen=True)
class Timing:
    """The seconds that a run spent on the old tree, and on intake, validation and the new tree."""

    run_id: str
    at: datetime
    old_seconds: float
    new_seconds: float

    @property
    def ratio(self) -> float:
        """New in old's time: 0.5 is twice as fast."""
        return self.new_seconds / self.old_seconds


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    run_id: str
    job: str
    at: datetime
    has_failed: bool


def is_there(url: str) -> bool:
    """Return whether the database has the tables of Dagster; raises OlistError where the role may not use their schema.

    Without its name they would seem not to be there.
    """
    statement = "SELECT to_regclass('public.runs') IS NOT NULL AND to_regclass('public.event_logs') IS NOT NULL AS yes"
    [found] = query(url, statement)
    return bool(found["yes"])


def timings(url: str, *, limit: int, now: str | None = None) -> list[Timing]:
    """Return the latest `limit` whole runs that built both sides, oldest first.

    `now` is a run that counts although it has not ended: whoever asks runs in its last step. A step that made tables of
    both sides counts for neither.
    """
    if not is_there(url):
        return []
    rows = query(url, _TIMINGS, {"job": WHOLE_RUN, "limit": limit, "now": now})
    return [Timing(row["run_id"], row["at"], float(row["old"]), float(row["new"])) for row in rows]


def ended(url: str, *, limit: int) -> list[Ended]:
    """Return the latest `limit` runs of any job that succeeded or failed, the latest first."""
    if not is_there(url):
        return []
    rows = query(url, _ENDED, {"limit": limit})
    return [Ended(row["run_id"], row["job"], row["at"], row["status"] == "FAILURE") for row in rows]


def may_have_failed(url: str) -> bool:
    """Return whether the last ended run of any job was no success: only then is there a failure to tell of."""
    return bool(is_there(url) and query(url, _LAST_NOT_DONE))


def month_states(url: str, assets: Iterable[Sequence[str]], months: Iterable[date]) -> dict[date, MonthState]:
    """Return the worst state of `assets`, each a path, in each of `months`.

    A month is what the latest attempt at it left: `failed` where that run failed before it made the month. A run that
    is at work, or that was cancelled, leaves the month as it is. What is running right now counts as present, and so
    does everything where there is no asset. The tables of Dagster must be there. Its own answer, which keeps what it
    has computed once for each set of partitions, is compared with this in a test.
    """
    wanted = {month.isoformat(): month for month in months}
    keys = [json.dumps(list(path)) for path in assets]
    states: dict[date, MonthState] = dict.fromkeys(wanted.values(), "present")
    for row in query(url, _STATES, {"keys": keys, "months": list(wanted)}):
        month = wanted[row["month"]]
        states[month] = min(states[month], row["state"], key=FROM_WORST.index)
    return states


_TIMINGS = """
WITH whole AS (
    SELECT run_id, to_timestamp(start_time) AS at FROM runs
    WHERE pipeline_name = %(job)s AND (status = 'SUCCESS' OR run_id = %(now)s) AND start_time IS NOT NULL
    ORDER BY id DESC LIMIT %(limit)s
), made AS (
    SELECT run_id, step_key, array_agg(DISTINCT asset_key::jsonb ->> 0) AS sides
    FROM event_logs JOIN whole USING (run_id)
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key IS NOT NULL GROUP BY run_id, step_key
), took AS (
    SELECT run_id, step_key, extract(epoch FROM max(timestamp) FILTER (WHERE dagster_event_type = 'STEP_SUCCESS')
           - min(timestamp) FILTER (WHERE dagster_event_type = 'STEP_START')) AS seconds
    FROM event_logs JOIN whole USING (run_id)
    WHERE dagster_event_type IN ('STEP_START', 'STEP_SUCCESS') GROUP BY run_id, step_key
)
SELECT run_id, at,
       sum(seconds) FILTER (WHERE sides = ARRAY['old']) AS old,
       sum(seconds) FILTER (WHERE NOT sides && ARRAY['old', 'replay', 'serving', 'landing']) AS new
FROM made JOIN took USING (run_id, step_key) JOIN whole USING (run_id)
GROUP BY run_id, at
HAVING sum(seconds) FILTER (WHERE sides = ARRAY['old']) > 0
   AND sum(seconds) FILTER (WHERE NOT sides && ARRAY['old', 'replay', 'serving', 'landing']) > 0
ORDER BY at
"""

_ENDED = """
SELECT run_id, pipeline_name AS job, status, to_timestamp(coalesce(end_time, start_time)) AS at FROM runs
WHERE status IN ('SUCCESS', 'FAILURE') AND coalesce(end_time, start_time) IS NOT NULL
ORDER BY id DESC LIMIT %(limit)s
"""

_LAST_NOT_DONE = """
SELECT pipeline_name FROM (
    SELECT DISTINCT ON (pipeline_name) pipeline_name, status FROM runs
    WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') ORDER BY pipeline_name, id DESC
) AS last WHERE status <> 'SUCCESS' LIMIT 1
"""

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
