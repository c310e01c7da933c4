"""Pages: what a dashboard is made of, as HTML that marimo and the export share.

What belongs here: figures, charts and tables in their order, and the head with the release. What does not: which
figures a dashboard shows (`pages`), how charts look (`charts`, `look`) and cells read (`cells`), and marimo
(`notebook`).

Whoever does not see a chart reads its name and the table of its numbers, which opens by keyboard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from dashboards import formats
from dashboards.numbers import MOST_ROWS, Numbers, numbers
from dashboards.queries import QUERIES
from dashboards.release import PinnedRelease
from olist_pipeline.errors import OlistError

STYLE = Path(__file__).with_name("style.css")
PAGES = {
    "executive": "Executive",
    "sales": "Sales",
    "customers": "Customers",
    "products": "Products",
    "sellers": "Sellers",
    "delivery": "Delivery and geography",
    "migration": "Migration",
}
"""The dashboards by name, in the order of the navigation."""

MIGRATION = "migration"

LEADS = {
    "executive": "Revenue, orders, payments, deliveries and reviews, by month of purchase",
    "sales": "When and what customers buy, and how they pay",
    "customers": "Who buys, how much, and who comes back",
    "products": "What sells, in which categories, and how it is reviewed",
    "sellers": "Revenue, punctuality and reviews of those who sell",
    "delivery": "How long orders take, how punctual they are, and where they go",
    "migration": "What is served from where, and the proof that it may be",
}
"""What each shows, in one line."""

NOTEBOOKS = Path(__file__).with_name("pages")

EMPTY = '<p class="empty">Nothing to show here for what is chosen.</p>'

Draw = Callable[[alt.TopLevelMixin], str]
"""What turns a chart into HTML."""


@dataclass(frozen=True)
class Figure:
    """One headline number, already formatted; `note` says what it is measured against."""

    label: str
    value: str
    note: str = ""

    def html(self, draw: Draw) -> str:
        """Return the figure as HTML."""
        note = f'<div class="note">{escape(self.note)}</div>' if self.note else ""
        value = f'<div class="value">{escape(self.value)}</div>'
        return f'<div class="figure"><div class="label">{escape(self.label)}</div>{value}{note}</div>'


@dataclass(frozen=True)
class Panel:
    """A chart under its title and a word on what it shows; `wide` takes the whole width of the page."""

    title: str
    chart: alt.TopLevelMixin
    note: str
    wide: bool = False

    def html(self, draw: Draw) -> str:
        """Return the panel as HTML: the chart as a named picture, with its numbers; a sentence where it is empty."""
        shown = numbers(specification(self.chart))
        if not shown.is_drawn:
            return _panel(self.title, self.note, EMPTY, self.wide)
        said = escape(f"Chart: {self.title}. {self.note}. The numbers follow.", quote=True)
        picture = f'<div class="drawing" role="img" aria-label="{said}">{draw(self.chart)}</div>'
        return _panel(self.title, self.note, picture + _numbers(self.title, shown), self.wide)


@dataclass(frozen=True)
class Table:
    """Rows under a title. `columns` names the shown columns of the frame, with a heading and a format each."""

    title: str
    rows: pl.DataFrame
    columns: Mapping[str, tuple[str, Callable[[Any], str | Badge]]]
    note: str
    wide: bool = True

    def html(self, draw: Draw) -> str:
        """Return the table as HTML; numbers stand to the right. A sentence where there are no rows."""
        numeric = [self.rows.schema[name].is_numeric() for name in self.columns]
        headings = [heading for heading, _ in self.columns.values()]
        shown = self.columns.items()
        rows = [
            [formats.NONE if row[name] is None and form is str else form(row[name]) for name, (_, form) in shown]
            for row in self.rows.iter_rows(named=True)
        ]
        inner = _grid(self.title, headings, numeric, rows) if rows else EMPTY
        return _panel(self.title, self.note, inner, self.wide)


@dataclass(frozen=True)
class Badge:
    """A word in a coloured frame, for a cell or a card; `kind` is green, amber, red, blue or grey."""

    text: str
    kind: str

    def __str__(self) -> str:
        return f'<span class="badge {self.kind}">{escape(self.text)}</span>'


@dataclass(frozen=True)
class Cards:
    """A card a row: a heading, a badge and a sentence."""

    title: str
    note: str
    cards: Sequence[tuple[str, Badge, str]]

    def html(self, draw: Draw) -> str:
        """Return the cards as HTML."""
        inner = "".join(
            f'<div class="card"><div class="label">{escape(heading)}</div>{badge}'
            f'<div class="note">{escape(text)}</div></div>'
            for heading, badge, text in self.cards
        )
        return _panel(self.title, self.note, f'<div class="cards">{inner}</div>' if inner else EMPTY, wide=True)


@dataclass(frozen=True)
class Page:
    """A dashboard over one release: its figures, then panels and tables, two side by side where they are not wide."""

    name: str
    release: PinnedRelease
    figures: Sequence[Figure]
    blocks: Sequence[Panel | Table | Cards]

    def __post_init__(self) -> None:
        if self.name not in PAGES:
            known = ", ".join(PAGES)
            raise OlistError(f"There is no dashboard {self.name!r}; call a Page like its notebook, one of {known}.")

    @property
    def title(self) -> str:
        """The name of the dashboard for a person."""
        return PAGES[self.name]

    def head(self, link: Callable[[str], str]) -> str:
        """Return the navigation and the release as HTML; `link` gives the address of a dashboard."""
        here = ' class="here" aria-current="page"'
        links = "".join(
            f'<a href="{escape(link(name))}"{here if name == self.name else ""}>{escape(title)}</a>'
            for name, title in pages_of(self.release).items()
        )
        release = self.release
        served = (
            f"<b>Release {release.number}</b> as of {formats.day(release.as_of)}"
            f"<span> · made {formats.moment(release.made_at)} UTC</span>"
        )
        return (
            f'<div class="olist"><nav aria-label="Dashboards"><span class="brand">Olist</span>{links}</nav>'
            f"<header><div>{_heading(self.title, 1)}<p>{escape(LEADS[self.name])}</p></div>"
            f'<div class="release" data-release="{release.number}">{served}</div></header></div>'
        )

    def body(self, draw: Draw) -> str:
        """Return the figures and blocks as HTML, which ends in a mark that all of it is there."""
        figures = "".join(figure.html(draw) for figure in self.figures)
        blocks = "".join(block.html(draw) for block in self.blocks)
        return (
            f'<div class="olist"><div class="figures" role="group" aria-label="Figures">{figures}</div>'
            f'<div class="blocks">{blocks}</div>'
            f'<div class="complete" data-page="{self.name}"></div></div>'
        )


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return a chart's Vega-Lite specification, with its data."""
    # Unchecked: the tests check every chart, and checking takes longer than drawing.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def pages_of(release: PinnedRelease | None) -> Mapping[str, str]:
    """Return the dashboards that a release can fill: of somebody's own warehouse the page of its migration alone.

    Raises OlistError for a dashboard that lacks its notebook, its title or its lead.
    """
    _refuse_unlisted()
    ours = {table for query in QUERIES.values() for table in query.tables}
    if release is None or ours & release.served_from.keys():
        return PAGES
    return {MIGRATION: PAGES[MIGRATION]}


def index(link: Callable[[str], str], release: PinnedRelease | None) -> str:
    """Return the page that lists the dashboards of a release; `link` gives the address of one."""
    cards = "".join(
        f'<a class="panel" href="{escape(link(name))}"><div class="title">{escape(title)}</div>'
        f'<p class="note">{escape(LEADS[name])}</p></a>'
        for name, title in pages_of(release).items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Olist dashboards</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{STYLE.read_text("utf-8")}</style></head>'
        '<body><main class="olist index"><h1 class="title">Olist dashboards</h1>'
        f'<div class="blocks">{cards}</div></main></body></html>'
    )


def _refuse_unlisted() -> None:
    notebooks = {path.stem for path in NOTEBOOKS.glob("*.py")} - {"__init__"}
    for name in sorted({*notebooks, *PAGES, *LEADS}):
        for known, what in (
            (notebooks, f"has no notebook {NOTEBOOKS / name}.py; write it"),
            (PAGES, f"is not in PAGES of {__file__}; put it there with its title"),
            (LEADS, f"is not in LEADS of {__file__}; put it there with one line on what it shows"),
        ):
            if name not in known:
                raise OlistError(f"The dashboard {name} {what}, or call it alike in all three.")


def _panel(title: str, note: str, inner: str, wide: bool) -> str:
    shown = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section class="panel{" wide" if wide else ""}">{_heading(title, 2)}{shown}{inner}</section>'


def _heading(text: str, level: int) -> str:
    # No h1 or h2, of which marimo would make a table of contents over the page.
    return f'<div class="title" role="heading" aria-level="{level}">{escape(text)}</div>'


def _numbers(title: str, shown: Numbers) -> str:
    cut = f", the first {MOST_ROWS:,} of {shown.height:,}" if shown.height > MOST_ROWS else ""
    table = _grid(f"Numbers of {title}", shown.headings, shown.numeric, shown.rows)
    return f"<details><summary>Numbers{cut}</summary>{table}</details>"


def _grid(title: str, headings: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str | Badge]]) -> str:
    """Return a table that scrolls within its place, by keyboard too."""
    sides = ['<{0} class="number">{1}</{0}>' if is_number else "<{0}>{1}</{0}>" for is_number in numeric]
    head = "".join(
        side.format("th", escape(heading)).replace("<th", '<th scope="col"', 1)
        for side, heading in zip(sides, headings, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(side.format('td', _cell(text)) for side, text in zip(sides, row, strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title, quote=True)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str | Badge) -> str:
    # A command stands in backticks, as in a document.
    return str(text) if isinstance(text, Badge) else re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
