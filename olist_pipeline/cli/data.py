"""`olist data`: generate a synthetic set, download the real one, check a folder.

What belongs here: the commands and their messages. What does not: generating (`synthetic`) and reading files
(`landing`).
"""

from __future__ import annotations

import shutil
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import click
from rich.console import Console

from olist_pipeline.cli.groups import Group
from olist_pipeline.cli.output import JSON, print_json, print_rows, tell_shares
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away
from olist_pipeline.settings import Settings

DATASET = "olistbr/brazilian-ecommerce"


@click.group(cls=Group)
def data() -> None:
    """Make, fetch or check the nine landing files."""


@data.command("generate")
@click.option("--orders", default=10_000, show_default=True, type=click.IntRange(min=1), help="Number of orders.")
@click.option(
    "--seed", default=42, show_default=True, type=click.IntRange(min=0), help="The same seed, the same files."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to; default: landing.")
def generate_command(orders: int, seed: int, out: Path | None) -> None:
    """Write a synthetic set: deterministic, with the quirks of the real one."""
    from rich.progress import Progress

    from olist_pipeline.synthetic import generate

    folder = out or _own_folder()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("orders", total=orders)
        with given_away() if out else nullcontext():
            rows = generate(folder, orders=orders, seed=seed, progress=lambda done: progress.advance(bar, done))
    click.echo(f"{sum(rows.values()):,} rows in {len(rows)} files in {folder}")


def _own_folder() -> Path:
    """Return landing to write invented files to; raises OlistError where it holds files of somebody's."""
    settings = Settings.from_env()
    folder = _folder(settings)
    if not settings.has_own_landing and folder.is_dir() and any(folder.iterdir()):
        raise OlistError(
            f"OLIST_DATA_DIR names {folder}, which has files already: synthetic ones would take their place; name "
            "another folder with --out, or this one where that is meant."
        )
    return folder


def _folder(settings: Settings) -> Path:
    """Return landing to write to; raises OlistError where it is an address, to which nothing is written."""
    if settings.landing_address:
        raise OlistError(
            f"OLIST_DATA_DIR is the address {settings.landing_address}, to which nothing is written; name a folder"
            " with --out."
        )
    return settings.landing


@data.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@JSON
def check_command(folder: Path | None, as_json: bool) -> None:
    """Report what is in a FOLDER (default: landing), without running anything; exit 1 when something is wrong.

    It reads every row, so it takes seconds, and more with the number of orders. Rows are checked by the structural
    rules alone; the rules of the business need a run.
    """
    from olist_pipeline.landing.fetched import fetch_landing
    from olist_pipeline.landing.folder import readable_landing
    from olist_pipeline.landing.inspection import inspect_landing
    from olist_pipeline.registry import LANDING
    from olist_pipeline.validation.landing_shares import structural_shares

    settings = Settings.from_env()
    if folder:
        settings = replace(settings, landing=folder.absolute(), landing_address="")
    fetch_landing(settings)
    reports = dict(zip(LANDING, inspect_landing(settings, LANDING.values()), strict=True))
    readable = [table for table in LANDING.values() if not reports[table.name].problem]
    landing = readable_landing(settings, readable)
    shares = structural_shares(landing, readable, date.today(), settings.cutover, settings.outbox)
    rows = [
        {**asdict(report), "rejected": shares[name].quarantined if name in shares else None}
        for name, report in reports.items()
    ]
    large = [share for share in shares.values() if share.is_large]
    if as_json:
        by_table = {name: share.to_dict() for name, share in shares.items()}
        print_json([{**row, "quarantine": by_table.get(name)} for name, row in zip(reports, rows, strict=True)])
    else:
        console = Console()
        print_rows(console, "Landing", rows, ["file", "rows", "rejected", "bytes", "encoding", "problem", "remark"])
        tell_shares(console, [share.to_dict() for share in large])
    sys.exit(1 if any(row["problem"] for row in rows) or any(share.stops for share in large) else 0)


@data.command("download")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to; default: landing.")
def download_command(out: Path | None) -> None:
    """Fetch the real set from Kaggle (CC BY-NC-SA 4.0) with kagglehub."""
    folder = out or _folder(Settings.from_env())
    try:
        import kagglehub
    except ImportError as error:
        raise OlistError("Downloading needs kagglehub: `pip install kagglehub`, then run again.") from error
    try:
        fetched = Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # kagglehub raises whatever its transport raises
        raise OlistError(f"Kaggle cannot be reached ({error}); download {DATASET} by hand into {folder}.") from error
    with given_away() if out else nullcontext():
        folder.mkdir(parents=True, exist_ok=True)
        for path in fetched.glob("*.csv"):
            shutil.copyfile(path, folder / path.name)
    click.echo(f"{DATASET} is in {folder}")
