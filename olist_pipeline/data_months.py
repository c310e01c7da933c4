"""The months of the data: which months of order-level tables there are, or were when they were last made.

What belongs here: finding them in landing and staging. What does not: Dagster's partitions, which follow them.
"""

from __future__ import annotations

from datetime import date

from olist_pipeline.intake.span import purchase_span
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, DATED
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months


def all_months(settings: Settings) -> MonthRange:
    """Return the months of landing and of staging: a month that left landing is emptied in staging.

    Where nothing in landing is dated it is the present month: there are no monthly tables then. Raises OlistError
    where landing has no order that can be read.
    """
    until_now = MonthRange.until(date.today())
    months = {until_now.last}
    if DATED:
        first, last = purchase_span(readable_landing(settings, [DATED]), until_now, DATED)
        months = {first.date().replace(day=1), last.date().replace(day=1)}
    for context in CONTEXTS.values():
        for table in context.tables:
            months.update(staged_months(settings.staging, context.name, table.name))
    return MonthRange(min(months), max(months))
