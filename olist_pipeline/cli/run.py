"""`olist run`: the whole graph, with progress and a summary.

What belongs here: what happens before and after the run as a person sees it. What does not: the run itself
(`execution`), and how the summary is made (`summary`).
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from rich.console import Console

from olist_pipeline.cli.loading import loading
from olist_pipeline.cli.output import inert, print_json
from olist_pipeline.errors import OlistError
from olist_pipeline.files import require_links
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.near import visible_name
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.replaced import refuse_unknown_places
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.identity import refuse_another_warehouse
from olist_pipeline.serving.release import current_release, is_intact, last_readable, refuse_past
from olist_pipeline.settings import Settings
from olist_pipeline.stores.postgres import flush

SYNTHETIC_ORDERS = 10_000
SYNTHETIC_SEED = 42


@click.command()
@click.option("--force", is_flag=True, help="Run even when nothing has changed: read, validate and prove it all.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(force: bool, as_json: bool) -> None:
    """Run everything: landing, validation, old beside new, their comparison, and the next release."""
    from olist_pipeline.warehouse import set_aside_where_damaged

    settings = Settings.from_env()
    console = Console(file=sys.stderr if as_json else sys.stdout)
    refuse_another_warehouse(settings)
    refuse_unknown_places()
    fetch_landing(settings)
    _fill_empty_landing(settings, console)
    check_landing(settings)
    refuse_past(settings.serving, datetime.now(UTC))
    require_links(settings.serving)
    set_aside_where_damaged(settings.warehouse)
    places = f"landing {settings.landing_address or settings.landing}  home {settings.home}"
    console.print(f"[bold]olist run[/bold]  {inert(places)}")
    # Dagster and dbt take seconds to import: whatever is wrong in the environment or in landing is reported before.
    with loading():
        from olist_pipeline.orchestration.instance import prepare

    url = prepare(settings)
    if not force and _is_up_to_date(settings, url):
        release = current_release(settings.serving)
        assert release is not None
        if as_json:
            print_json({"changed": False, "release": release.number, "as_of": release.as_of})
        else:
            console.print(
                f"Nothing has changed since release {release.number} (as of {release.as_of}). --force runs anyway."
            )
        standby.prepare(settings.serving)  # which the run that published the release may have been killed before
        return
    from olist_pipeline.orchestration.dbt_projects import begin_with_dbt

    begin_with_dbt(settings)
    from olist_pipeline.cli.execution import Planned, run_jobs
    from olist_pipeline.cli.summary import print_summary, summarise
    from olist_pipeline.data_months import all_months
    from olist_pipeline.orchestration.jobs import DUAL_RUN
    from olist_pipeline.orchestration.partitions import FORCED
    from olist_pipeline.serving.guard import guard_now

    seen = run_jobs(settings, console, [Planned(DUAL_RUN, all_months(settings), FORCED if force else {})])
    seen.guarded = guard_now(settings, url)
    flush(url)
    summary = summarise(settings, url, seen.run_ids, seen.seconds)
    if as_json:
        print_json({"changed": True, "problems": seen.failures(), **summary})
    else:
        print_summary(console, summary)
    seen.raise_failure()


def check_landing(settings: Settings) -> None:
    """Raise OlistError for the first landing file that cannot be read, before anything is run."""
    from olist_pipeline.intake.parts import is_known
    from olist_pipeline.landing.csv_file import check_file
    from olist_pipeline.landing.folder import files_of, readable_landing
    from olist_pipeline.landing.parts import is_in_parts

    for table in LANDING.values():
        landing = readable_landing(settings, [table])
        try:
            paths = files_of(landing, table)
        except OlistError as error:
            raise OlistError(f"{error}{_or_another_warehouse(settings)}") from error
        for path in paths:
            if not is_in_parts(landing, table) or not is_known(path):
                check_file(path, table)


def _or_another_warehouse(settings: Settings) -> str:
    """Return what else may be meant where landing has CSV files, and none that the migration file names."""
    files = sorted(path.name for path in settings.landing.glob("*.csv")) if settings.landing.is_dir() else []
    if not files or {table.file for table in LANDING.values()} & {*files}:
        return ""
    return (
        f" Where {visible_name(files[0])} is of another warehouse, set OLIST_MIGRATION to that one's migration file; "
        f"now it is {settings.migration}."
    )


def _fill_empty_landing(settings: Settings, console: Console) -> None:
    """Generate a synthetic set where landing is empty.

    A folder of a person's that is not there is a mistake, and so is one that is empty after a release was made of it.
    What a killed generator has left there is finished first, or removed.
    """
    from olist_pipeline.synthetic import finish_killed, generate

    finish_killed(settings.landing)
    may_make = settings.has_own_landing and not settings.landing.exists()
    is_empty = settings.landing.is_dir() and not any(settings.landing.iterdir())
    if not (may_make or is_empty):
        return
    if not settings.has_own_landing and is_empty and (release := last_readable(settings.serving)):
        raise OlistError(
            f"Landing {settings.landing} is empty, and release {release.number} was made of files there: mount "
            "it or put them back, for `olist data generate` alone would replace them by synthetic ones."
        )
    console.print(
        f"Landing is empty: generating {SYNTHETIC_ORDERS:,} synthetic orders (OLIST_DATA_DIR takes real ones)."
    )
    generate(settings.landing, orders=SYNTHETIC_ORDERS, seed=SYNTHETIC_SEED)


def _is_up_to_date(settings: Settings, url: str) -> bool:
    """Return whether the current release was made of the present landing, code and routes."""
    try:
        release = current_release(settings.serving)
    except OlistError:
        return False  # a damaged release: another one is made
    if release is None or not is_intact(settings.serving, release):
        return False
    from olist_pipeline.migration.load import load_migration
    from olist_pipeline.provenance import code_hash, present_inputs, run_fingerprint
    from olist_pipeline.serving.routing import is_of_these_routes

    code = code_hash(load_migration(settings.migration))
    if release.fingerprint != run_fingerprint(settings, present_inputs(settings), code):
        return False
    return is_of_these_routes(release, journal.recorded_routes(settings.serving, url, CONTEXTS))
