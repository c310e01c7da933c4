"""The report of a run for a browser: one file, with its style inside, that a manager can open and forward.

What belongs here: gathering what the page says. What does not: how it looks (`report.html.jinja`), and any verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from olist_pipeline.files import remove_abandoned, replacing
from olist_pipeline.parity.effects import difference, number_of, signed
from olist_pipeline.parity.stored import complete_report
from olist_pipeline.stores.approvals import Approval
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.tablediff.report import Comparison

ORDER = ("differs", "approved", "explained", "identical")
"""Verdicts, the most urgent first."""


@dataclass(frozen=True)
class Progress:
    """The rows of the scorecard and of the timeline, in the words of their JSON form."""

    criteria: Sequence[Mapping[str, Any]]
    timeline: Sequence[Mapping[str, Any]]


def html_report(
    verdicts: Sequence[Verdict], approvals: Iterable[Approval], today: date, progress: Progress | None = None
) -> str:
    """Return the page over the latest verdicts of tables; `approvals` are shown with their state on `today`.

    `progress` is the scorecard and the timeline of the whole migration.
    """
    ordered = sorted(verdicts, key=lambda verdict: (ORDER.index(verdict.verdict), verdict.context, verdict.table))
    counts = Counter(verdict.verdict for verdict in ordered)
    made_at = max((verdict.recorded_at for verdict in ordered if verdict.recorded_at), default=None)
    return _template().render(
        tables=[(verdict, complete_report(verdict.report)) for verdict in ordered],
        counts=[(name, counts[name]) for name in reversed(ORDER) if counts[name]],
        made_at=made_at,
        runs=sorted({verdict.run_id for verdict in ordered}),
        progress=progress,
        approvals=[(approval, approval.state(today)) for approval in approvals],
    )


def comparison_page(comparison: Comparison, old: str) -> str:
    """Return the page of one comparison of two relations, whose old one is called `old`."""
    found, sentences = comparison.to_dict(), comparison.sentences()
    return _template().render(
        free={"old": old, "new": comparison.table, "found": found, "sentences": sentences[:1] + sentences[-1:]}
    )


def write_report(
    path: Path, verdicts: Sequence[Verdict], approvals: Iterable[Approval], today: date, progress: Progress
) -> None:
    """Write the page, whole or not at all; each run has its own, and none after it would remove what it left killed."""
    remove_abandoned(path.parent)
    with replacing(path) as temporary:
        temporary.write_text(html_report(verdicts, approvals, today, progress), "utf-8")


@cache
def _template() -> Template:
    loader = PackageLoader("olist_pipeline.parity", package_path="")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = _number
    environment.filters["difference"] = _difference
    return environment.get_template("report.html.jinja")


def _number(value: float | str) -> str:
    """Return a number, or the exact text of one, with its thousands apart."""
    return f"{Decimal(str(value)):,}"


def _difference(totals: Sequence[float | str]) -> str:
    """Return the difference of the totals of a measure, old and new, with its sign."""
    return signed(difference(*map(number_of, totals)))
