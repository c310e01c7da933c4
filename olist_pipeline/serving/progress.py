"""What a release says of the migration's progress: the scorecard, its histories, and the timeline, as tables.

What belongs here: their shapes in the schema `about` of a release, and in the report of a run. What does not: measuring
(`criteria`), gathering and what a switch of routes adds (`timeline`), and the other tables of `about`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from olist_pipeline.engine.history import Columns
from olist_pipeline.parity.html import Progress
from olist_pipeline.serving.criteria import RUNS, criteria, quarantine_history
from olist_pipeline.serving.timeline import timeline
from olist_pipeline.settings import Settings
from olist_pipeline.stores import run_history

_MOMENT = pl.Datetime("us", "UTC")
_CRITERIA: Columns = {
    "position": pl.Int64,
    **dict.fromkeys(("name", "context"), pl.String),
    "is_green": pl.Boolean,
    **dict.fromkeys(("value", "target", "evidence"), pl.String),
    "since": _MOMENT,
}
_TIMELINE: Columns = {
    "at": _MOMENT,
    **dict.fromkeys(("what", "context", "by", "why"), pl.String),
}
_SPEED: Columns = {
    "at": _MOMENT,
    "run_id": pl.String,
    **dict.fromkeys(("old_seconds", "new_seconds", "ratio"), pl.Float64),
}
_SHARES: Columns = {
    "at": _MOMENT,
    **dict.fromkeys(("run_id", "context"), pl.String),
    "share": pl.Float64,
}
_RUNS = {
    "day": pl.Date,
    **dict.fromkeys(("runs", "failed"), pl.Int64),
}
MOST_RUNS = 1000
"""Runs of which the error rate is shown by day."""


def scorecard(settings: Settings, url: str, run_id: str | None = None) -> Progress:
    """Return scorecard and timeline as the report of a run shows them; `run_id` is the run that asks, if any."""
    return Progress(
        criteria=[one.to_dict() for one in criteria(settings, url, now=datetime.now(UTC), run_id=run_id)],
        timeline=[one.to_dict() for one in timeline(settings.serving, url)],
    )


def progress(settings: Settings, url: str, run_id: str | None) -> dict[str, pl.DataFrame]:
    """Return the tables by name; `run_id` is the run that makes the release.

    `migration_criteria` has a row a criterion and context, `migration_timeline` one a thing that happened,
    `migration_speed` a whole run (seconds), `migration_quarantine_share` a context and run, `migration_runs` a day.
    """
    assessed = criteria(settings, url, now=datetime.now(UTC), run_id=run_id)
    scored = [{"position": place, **vars(one)} for place, one in enumerate(assessed, start=1)]
    happened = list(map(vars, timeline(settings.serving, url)))
    speed = [{**vars(one), "ratio": one.ratio} for one in run_history.timings(url, limit=RUNS, now=run_id)]
    return {
        "migration_criteria": pl.DataFrame(scored, _CRITERIA),
        "migration_timeline": pl.DataFrame(happened, _TIMELINE),
        "migration_speed": pl.DataFrame(speed, _SPEED),
        "migration_quarantine_share": pl.DataFrame(quarantine_history(url), _SHARES),
        "migration_runs": pl.DataFrame(_by_day(run_history.ended(url, limit=MOST_RUNS)), _RUNS, orient="row"),
    }


def _by_day(ended: Sequence[run_history.Ended]) -> list[tuple[object, int, int]]:
    runs = Counter(run.at.astimezone(UTC).date() for run in ended)
    failed = Counter(run.at.astimezone(UTC).date() for run in ended if run.has_failed)
    return [(day, runs[day], failed[day]) for day in sorted(runs)]
