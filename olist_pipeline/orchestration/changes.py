"""Changes of landing: what is new in the files, and which contexts and months it touches.

What belongs here: comparing landing with what was taken in, and the plan that follows. What does not: when somebody
looks (`sensors`), and running the plan.

The content of a monthly table is one hash a month, over its typed rows, their numbers and the rules that they
break; of another table it is the hash of its file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import reading
from olist_pipeline.intake.cast import RULES, cast_rows
from olist_pipeline.intake.large import ingest_all
from olist_pipeline.intake.parts import is_known
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.csv_file import IS_TRUNCATED, SOURCE_ROW, read_text, windows_of
from olist_pipeline.landing.folder import files_of, landing_hash
from olist_pipeline.landing.packed import called
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.months import MONTH, MonthRange, month_text
from olist_pipeline.orchestration.partition_states import ranges
from olist_pipeline.registry import LANDING, STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, scan_intake
from olist_pipeline.steps import landing_hash_of
from olist_pipeline.warehouse import WarehouseTable

Content = dict[str, dict[str, str]]
"""Table -> part -> hash; a part is a month (`2017-03`), WHOLE, or NO_MONTH for rows that have none."""

WHOLE, NO_MONTH = "whole", "no month"


@dataclass(frozen=True)
class Request:
    """One run that a change asks for: `contexts` over `months`, and `whole` ones without their monthly tables.

    Where `is_monthly_only` is set, their monthly tables alone, without checks: another run follows with the rest.
    """

    contexts: tuple[str, ...]
    months: MonthRange | None
    is_monthly_only: bool = False
    whole: tuple[str, ...] = ()


def unfinished(landing: Path, table: LandingTable) -> str:
    """Return a sentence if a table's file looks like a part of an upload, or cannot be read; else nothing.

    A file that does not end its last line is complete only if its last record is in order.
    """
    try:
        in_parts = is_in_parts(landing, table)
        new = [path for path in files_of(landing, table) if not in_parts or not is_known(path)]
        return next(filter(None, (_unfinished(path, landing, table, in_parts=in_parts) for path in new)), "")
    except OlistError as error:
        return str(error)


def _unfinished(path: Path, landing: Path, table: LandingTable, *, in_parts: bool) -> str:
    last_window = windows_of(path, table)[-1]
    text = read_text(path, table, last_window)
    with reading(called(path)), path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) in (b"\n", b"\r"):
            return ""
    is_cut = text.malformed.filter(pl.col(IS_TRUNCATED)).height or _last(text.malformed) >= _last(text.rows)
    if is_cut or (_is_bad(text.rows.tail(1), table) if in_parts else not table.parent and _has_bad_end(table, landing)):
        return f"{called(path)} ends inside a record; the upload seems to have stopped there: upload it again."
    return ""


def _last(records: pl.DataFrame) -> int:
    """Return the number of the last of some records, 0 where there is none."""
    return max(records[SOURCE_ROW].tail(1).to_list(), default=0)


def landing_content(landing: Path, today: date, folder: Path) -> Content:
    """Return the content of the files; raises OlistError when one cannot be read.

    `folder` is for what large tables need meanwhile.
    """
    monthly = [table for table in LANDING.values() if table.is_monthly]
    content = {table.name: _by_month(rows) for table, rows in ingest_all(monthly, landing, today, folder)}
    return {
        name: content[name] if table.is_monthly else {WHOLE: landing_hash(landing, table)}
        for name, table in LANDING.items()
    }


def ingested_content(settings: Settings) -> Content:
    """Return the content of what intake has taken in so far; tables that it has not are left out."""
    return {
        table.name: _by_month(scan_intake(settings.intake, table.name))
        if table.is_monthly
        else {WHOLE: landing_hash_of(settings, table.name)}
        for table in LANDING.values()
        if intake_path(settings.intake, table.name).exists()
    }


def changed_parts(before: Content, after: Content) -> dict[str, set[str]]:
    """Return the parts of each table that came, went or differ; tables without a change are left out."""
    found = {
        table: {part for part in {*before.get(table, {}), *parts} if before.get(table, {}).get(part) != parts.get(part)}
        for table, parts in after.items()
    }
    return {table: parts for table, parts in found.items() if parts}


def affected_months(
    changed: Mapping[str, set[str]], tables: Iterable[WarehouseTable], all_months: MonthRange
) -> dict[str, set[date]]:
    """Return the contexts that have work to do, with the months that they have it in (none: only whole tables).

    A whole table with landing rows of its own counts as changed when those did: other tables that its step reads make
    its summaries and its events. Whatever reads a changed whole table does so in all months.
    """
    every_month = set(all_months)
    touched: dict[str, set[date] | None] = {}
    found: dict[str, set[date]] = {}
    for step in STEPS:
        reads = [changed[name] for name in step.intake if name in changed]
        upstream = [touched[name] for name in step.published if name in touched]
        if not reads and not upstream:
            continue
        months = months_of_parts(reads) | {month for part in upstream for month in part or ()}
        if any(WHOLE in parts for parts in reads) or None in upstream:
            months = every_month
        for table in step.tables:
            if step.is_monthly:
                touched[table.asset] = months
            elif table.source is None or table.source.name in changed:
                touched[table.asset] = None
            found.setdefault(table.context, set()).update(months if step.is_monthly else ())
    for built in tables:
        read = [touched[name] for name in built.reads if name in touched]
        if read:
            months = {month for part in read for month in part or ()}
            of_context = found.setdefault(built.context, set())
            of_context.update((every_month if None in read else months) if built.is_monthly else ())
    return found


def plan(affected: Mapping[str, set[date]]) -> list[Request]:
    """Return the runs that do the work of `affected` contexts, in the order in which they must run.

    Contexts that have the same months run together; those without months run with the last.
    """
    monthly = {context: frozenset(months) for context, months in affected.items() if months}
    groups = dict.fromkeys(monthly.values())
    whole = tuple(context for context, months in affected.items() if not months)
    requests: list[Request] = []
    for months in groups:
        members = tuple(context for context, own in monthly.items() if own == months)
        parts = ranges(months)
        requests += [Request(members, part, is_monthly_only=True) for part in parts[:-1]]
        requests.append(Request(members, parts[-1]))
    if whole:
        *others, last = requests or [Request((), None)]
        return [*others, replace(last, whole=whole)]
    return requests


def describe_changes(changed: Mapping[str, set[str]]) -> str:
    """Return what changed, for a person: `rides (2017-03, 2017-04), docks`."""
    return ", ".join(
        table if parts == {WHOLE} else f"{table} ({_shortened(sorted(parts))})" for table, parts in changed.items()
    )


def _shortened(parts: Sequence[str]) -> str:
    return ", ".join(parts) if len(parts) <= 4 else f"{parts[0]} to {parts[-1]}, {len(parts)} parts"


def months_of_parts(parts: Iterable[set[str]]) -> set[date]:
    """Return the months among parts."""
    names = {name for part in parts for name in part} - {WHOLE, NO_MONTH}
    return {date.fromisoformat(f"{name}-01") for name in names}


def _by_month(rows: pl.LazyFrame) -> dict[str, str]:
    """Return a hash of the rows of each month, in their order; they need not fit into memory."""
    found: dict[str, hashlib.blake2b] = {}
    for batch in rows.collect_batches(maintain_order=True):
        for (month,), part in batch.partition_by(MONTH, as_dict=True).items():
            name = NO_MONTH if month is None else month_text(month)
            text = part.drop(MONTH).write_csv(include_header=name not in found)
            found.setdefault(name, hashlib.blake2b(digest_size=8)).update(text.encode())
    return {name: digest.hexdigest() for name, digest in found.items()}


def _is_bad(rows: pl.DataFrame, table: LandingTable) -> bool:
    return any(cast_rows(rows, table.record, table.ids)[RULES].to_list())


def _has_bad_end(table: LandingTable, landing: Path) -> bool:
    rows = ingest(table, landing, table.months(date.today()))
    last = rows.sort(SOURCE_ROW).tail(1)
    return bool(last.height) and last[RULES].item() != ""
