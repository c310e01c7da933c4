"""A night: what the schedule `nightly` runs, in this process, with the lines that `olist run` prints of its steps.

What belongs here: starting it for a measurement. What does not: which months a night has (`orchestration.schedules`).
"""

from __future__ import annotations

import sys

from rich.console import Console

from olist_pipeline.cli.execution import Planned, run_jobs
from olist_pipeline.orchestration.instance import prepare
from olist_pipeline.orchestration.jobs import DUAL_RUN
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE
from olist_pipeline.orchestration.schedules import nightly_months
from olist_pipeline.serving.guard import guard_now
from olist_pipeline.settings import Settings


def main() -> None:
    """Run the night over the environment's home; a failure is a traceback."""
    settings = Settings.from_env()
    url = prepare(settings)
    # The console must keep the stream: what dbt prints meanwhile goes to a log.
    night = Planned(DUAL_RUN, nightly_months(settings), COMPARED_WHOLE)
    seen = run_jobs(settings, Console(file=sys.stdout), [night])
    seen.guarded = guard_now(settings, url)
    seen.raise_failure()


if __name__ == "__main__":
    main()
