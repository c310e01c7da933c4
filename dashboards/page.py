"""Pages: what a dashboard is made of, as HTML that marimo and the export share.

What belongs here: figures, charts and tables in their order, the head with the release, and the filters. What does not:
which figures a dashboard shows (`pages`), and how charts look (`charts`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import marimo as mo
import polars as pl

from dashboards import charts, formats
from dashboards.release import PinnedRelease, Reader, current
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings

STYLE = Path(__file__).with_name("style.css")
PULSE = "10s"
"""How often an open page looks whether another release is served."""

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

PAYMENT_COLOURS = {
    "Credit card": charts.BLUE,
    "Boleto": charts.TEAL,
    "Voucher": charts.AMBER,
    "Debit card": charts.VIOLET,
}

ROUTES = {
    "old": ("grey", "The old tables are served"),
    "shadow": ("blue", "The old tables are served, the new ones compared on every run"),
    "new": ("green", "The new tables are served"),
    "retired": ("green", "The new tables are served, the old ones no longer built"),
}
"""The colour of a route and what it means."""

SHORT = 8

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
    """A chart under its title; `wide` takes the whole width of the page."""

    title: str
    chart: alt.TopLevelMixin
    note: str = ""
    wide: bool = False

    def html(self, draw: Draw) -> str:
        """Return the panel as HTML."""
        return _panel(self.title, self.note, draw(self.chart), self.wide)


@dataclass(frozen=True)
class Table:
    """Rows under a title. `columns` names the shown columns of the frame, with a heading and a format each."""

    title: str
    rows: pl.DataFrame
    columns: Mapping[str, tuple[str, Callable[[Any], str | Badge]]]
    note: str = ""
    wide: bool = True

    def html(self, draw: Draw) -> str:
        """Return the table as HTML; numbers stand to the right."""
        numeric = {name for name in self.columns if self.rows.schema[name].is_numeric()}
        head = "".join(
            f'<th class="{"number" if name in numeric else ""}">{escape(heading)}</th>'
            for name, (heading, _) in self.columns.items()
        )
        body = "".join(f"<tr>{self._cells(row, numeric)}</tr>" for row in self.rows.iter_rows(named=True))
        table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        return _panel(self.title, self.note, table, self.wide)

    def _cells(self, row: Mapping[str, Any], numeric: set[str]) -> str:
        return "".join(
            f'<td class="{"number" if name in numeric else ""}">{_cell(form(row[name]))}</td>'
            for name, (_, form) in self.columns.items()
        )


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
    cards: Sequence[tuple[str, Badge, str]]

    def html(self, draw: Draw) -> str:
        """Return the cards as HTML."""
        inner = "".join(
            f'<div class="card"><div class="label">{escape(heading)}</div>{badge}'
            f'<div class="note">{escape(text)}</div></div>'
            for heading, badge, text in self.cards
        )
        return _panel(self.title, "", f'<div class="cards">{inner}</div>', wide=True)


@dataclass(frozen=True)
class Page:
    """A dashboard over one release: its figures, then panels and tables, two side by side where they are not wide."""

    name: str
    release: PinnedRelease
    figures: Sequence[Figure]
    blocks: Sequence[Panel | Table | Cards]

    @property
    def title(self) -> str:
        """The name of the dashboard for a person."""
        return PAGES[self.name]

    def head(self, link: Callable[[str], str]) -> str:
        """Return the navigation and the release as HTML; `link` gives the address of a dashboard."""
        links = "".join(
            f'<a href="{escape(link(name))}"{" class=here" if name == self.name else ""}>{escape(title)}</a>'
            for name, title in PAGES.items()
        )
        release = self.release
        served = (
            f"<b>Release {release.number}</b> as of {formats.day(release.as_of)}"
            f"<span> · made {formats.moment(release.made_at)} UTC</span>"
        )
        return (
            f'<div class="olist"><nav><span class="brand">Olist</span>{links}</nav>'
            f"<header><div>{_heading(self.title, 1)}<p>{escape(LEADS[self.name])}</p></div>"
            f'<div class="release" data-release="{release.number}">{served}</div></header></div>'
        )

    def body(self, draw: Draw) -> str:
        """Return the figures and blocks as HTML, which ends in a mark that all of it is there."""
        figures = "".join(figure.html(draw) for figure in self.figures)
        blocks = "".join(block.html(draw) for block in self.blocks)
        return (
            f'<div class="olist"><div class="figures">{figures}</div><div class="blocks">{blocks}</div>'
            f'<div class="complete" data-page="{self.name}"></div></div>'
        )


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return a chart's Vega-Lite specification, with its data."""
    # Unchecked: the tests check every chart, and checking takes longer than drawing.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def index(link: Callable[[str], str]) -> str:
    """Return the page that lists the dashboards; `link` gives the address of one."""
    cards = "".join(
        f'<a class="panel" href="{escape(link(name))}"><div class="title">{escape(title)}</div>'
        f'<p class="note">{escape(LEADS[name])}</p></a>'
        for name, title in PAGES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Olist dashboards</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE.read_text("utf-8")}</style></head>'
        '<body><main class="olist index"><div class="title">Olist dashboards</div>'
        f'<div class="blocks">{cards}</div></main></body></html>'
    )


def served() -> PinnedRelease:
    """Return the release that is served now, from the settings of the environment."""
    return current(Settings.from_env().serving)


def first_release() -> PinnedRelease | None:
    """Return the release that is served now, None where there is none yet; a page then shows `missing`."""
    try:
        return served()
    except OlistError:
        return None


def another(shown: PinnedRelease | None, pulse: Any) -> PinnedRelease | None:
    """Return the release that is served now where it is not the one that is shown, else None.

    Who is given the clock `pulse` is run again at each of its beats.
    """
    found = first_release()
    return found if found is not None and (shown is None or found.folder != shown.folder) else None


def missing() -> mo.Html:
    """Return the one sentence of a page without a release."""
    try:
        served()
    except OlistError as error:
        return mo.callout(str(error), kind="warn")
    return mo.md("")


@contextmanager
def reading(release: PinnedRelease) -> Iterator[Reader]:
    """Yield a reader of the release; where it cannot be read, end the cell with the one sentence that says why."""
    try:
        with release.reading() as reader:
            yield reader
    except OlistError as error:
        mo.stop(True, mo.callout(str(error), kind="danger"))


def months(options: Iterable[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a period, from its first to its last month."""
    shown = {formats.month(option): option for option in options}
    return {
        "from_month": _dropdown("From", "First month", shown, kept.get("from_month")),
        "to_month": _dropdown("To", "Last month", dict(reversed(shown.items())), kept.get("to_month")),
    }


def choice(label: str, everything: str, options: Iterable[Any], kept: Any, form: Callable[[Any], str] = str) -> Any:
    """Return a filter of one value; `everything` is the entry that switches it off, `kept` what was chosen before."""
    return _dropdown(label, everything, {form(option): option for option in options}, kept)


def clock() -> Any:
    """Return the clock by which an open page looks for another release."""
    return mo.ui.refresh(options=[PULSE, "1m"], default_interval=PULSE, label="Looks for a new release every")


def bar(filters: Any, pulse: Any) -> mo.Html:
    """Return the bar of filters, with the clock."""
    return mo.hstack([*filters.elements.values(), pulse], justify="start", gap=1.5, wrap=True, align="end")


def show(page: Page) -> mo.Html:
    """Return the body of a page for marimo."""
    return mo.Html(page.body(lambda chart: mo.as_html(_Drawn(chart)).text))


def show_head(page: Page) -> mo.Html:
    """Return the head of a page for marimo, whose pages stand beside each other."""
    return mo.Html(page.head(lambda name: f"../{name}/"))


@dataclass(frozen=True)
class _Drawn:
    """A chart that tells marimo its specification, with the data inside."""

    chart: alt.TopLevelMixin

    def _mime_(self) -> tuple[str, str]:
        return ("application/vnd.vegalite.v6+json", json.dumps(specification(self.chart)))


def _dropdown(label: str, everything: str, options: Mapping[str, Any], kept: Any) -> Any:
    chosen = next((text for text, option in options.items() if option == kept), everything)
    return mo.ui.dropdown({everything: None, **options}, value=chosen, label=label)


def in_words(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the frame with the codes of some columns as words."""
    return frame.with_columns(
        pl.col(column).map_elements(formats.words, pl.String, skip_nulls=False) for column in columns
    )


def _panel(title: str, note: str, inner: str, wide: bool) -> str:
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section class="panel{" wide" if wide else ""}">{_heading(title, 2)}{told}{inner}</section>'


def in_cities(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the cities as they are written, and with a column `seller` for those who are one."""
    named = frame.with_columns(pl.col("city").map_elements(formats.city, pl.String, skip_nulls=False))
    if "seller_id" not in frame.columns:
        return named
    return named.with_columns(pl.col("seller_id").str.slice(0, SHORT).alias("seller"))


def short_id(value: str) -> str:
    """Return the beginning of an id of 32 digits, which is enough to tell it apart."""
    return value[:SHORT]


def signed_days(days: float | None) -> str:
    """Return days against a promise: -11.9 is 11,9 days early."""
    if days is None:
        return formats.NONE
    return f"{formats.decimal(abs(days))} days {'early' if days < 0 else 'late'}"


def badge(word: str, kind: str) -> Badge:
    """Return a word in a coloured frame."""
    return Badge(word, kind)


def holds(value: bool | None) -> Badge:
    """Return the verdict of a conservation."""
    if value is None:
        return Badge("Not checked", "grey")
    return Badge("Holds", "green") if value else Badge("Does not hold", "red")


def severity(value: str) -> Badge:
    """Return what a rule does to a row that breaks it."""
    return Badge("Reject", "red") if value == "reject" else Badge("Flag", "amber")


def route_card(row: Mapping[str, Any]) -> tuple[str, Badge, str]:
    """Return the card of a context: its route, what that means, and who changed it when and why."""
    kind, meaning = ROUTES.get(row["route"], ("grey", ""))
    changed = ""
    if row["changed_at"] is not None:
        changed = f". {formats.moment(row['changed_at'])} UTC by {row['changed_by']}: {row['reason']}"
    return formats.words(row["context"]), Badge(row["route"], kind), f"{meaning}{changed}"


def _heading(text: str, level: int) -> str:
    # No h1 or h2, of which marimo would make a table of contents over the page.
    return f'<div class="title" role="heading" aria-level="{level}">{escape(text)}</div>'


def _cell(text: str | Badge) -> str:
    return str(text) if isinstance(text, Badge) else escape(text)
