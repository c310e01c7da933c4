"""Schedules: what runs by the clock, in the time zone of the business.

What belongs here: when, and over which months. What does not: what a job does (`jobs`), and reactions to what happens
(`sensors`).
"""

from collections.abc import Callable
from datetime import date

import dagster as dg

from olist_pipeline.data_months import all_months
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.changes import (
    WHOLE,
    changed_parts,
    ingested_content,
    landing_content,
    months_of_parts,
)
from olist_pipeline.orchestration.jobs import DUAL_RUN, FRESHNESS, FULL_REFRESH_JOB
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE, follow_data, know_months, range_tags
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.sensors import AUTOMATION_IS_OFF
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings

TIME_ZONE = "America/Sao_Paulo"


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedules; they are switched on at first where the environment is automated."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.is_automated else dg.DefaultScheduleStatus.STOPPED
    return [
        _schedule("nightly", DUAL_RUN, "0 2 * * *", nightly_months, status, "Both pipelines, every night."),
        _schedule("weekly", FULL_REFRESH_JOB, "0 4 * * 0", all_months, status, "Everything anew, every Sunday."),
        _schedule("hourly", FRESHNESS, "15 * * * *", None, status, "Freshness and missing partitions, every hour."),
    ]


def nightly_months(settings: Settings) -> MonthRange:
    """Return the months of a nightly run: from the first that changed since intake to the last, or the last alone.

    A change of a file that has no months (sellers, products ...) may touch rows of any month: then all are run.
    """
    months = all_months(settings)
    landing, folder = readable_landing(settings, LANDING.values()), settings.outbox
    changed = changed_parts(ingested_content(settings), landing_content(landing, date.today(), folder))
    if any(WHOLE in parts for parts in changed.values()):
        return months
    return MonthRange(min([*months_of_parts(changed.values()), months.last]), months.last)


def _schedule(
    name: str,
    job: str,
    cron: str,
    months_of_run: Callable[[Settings], MonthRange] | None,
    status: dg.DefaultScheduleStatus,
    description: str,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=cron,
        execution_timezone=TIME_ZONE,
        default_status=status,
        description=description,
    )
    def tick(context: dg.ScheduleEvaluationContext, pipeline: PipelineResource) -> dg.RunRequest | dg.SkipReason:
        settings = pipeline.settings
        if not settings.is_automated:
            return dg.SkipReason(AUTOMATION_IS_OFF)
        tags: dict[str, str] = {}
        if months_of_run:
            with clear_failures():
                fetch_landing(settings)
                follow_data(context.instance, settings)
                months = months_of_run(settings)
            know_months(context.instance, months)
            # It ends in a release, whose gate wants verdicts on whole tables, whatever months are built.
            tags = {**range_tags(months), **COMPARED_WHOLE}
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    return tick
