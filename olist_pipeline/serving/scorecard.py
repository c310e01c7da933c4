"""The scorecard and the timeline as the report of a run shows them.

What belongs here: their JSON form, together. What does not: measuring (`criteria`), gathering (`timeline`), and how a
page looks (`parity.html`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from olist_pipeline.parity.html import Progress
from olist_pipeline.serving.criteria import criteria
from olist_pipeline.serving.timeline import timeline
from olist_pipeline.settings import Settings


def scorecard(settings: Settings, url: str, run_id: str | None = None) -> Progress:
    """Return both as they stand; `run_id` is the run that asks, if any."""
    return Progress(
        criteria=[one.to_dict() for one in criteria(settings, url, now=datetime.now(UTC), run_id=run_id)],
        timeline=[one.to_dict() for one in timeline(settings.serving, url)],
    )
