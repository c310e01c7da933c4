"""The look of charts: colours, axes, tooltips, and how a column is read.

What belongs here: what all kinds of charts share. What does not: the kinds themselves (see `charts`), and figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from dashboards import formats

INK = "#1f2a37"
"""The colour of text on a coloured cell."""
TEXT = "currentColor"
"""The colour of all other text and lines: that of the page, which is light or dark as its reader wants."""
FAINT, FAINTEST = 0.72, 0.16
"""How strong lines and lesser texts are."""
BLUE, TEAL, AMBER, RED, VIOLET, GREY = "#1d5fa8", "#2a9d8f", "#e9a23b", "#d1495b", "#7a5ea8", "#b4bec9"
SERIES = (BLUE, TEAL, AMBER, RED, VIOLET, "#5b8fc9", "#87c8bf", "#f2cc8f", "#e39aa6", GREY)
REGIONS = {"Southeast": BLUE, "South": TEAL, "Northeast": AMBER, "Central-West": VIOLET, "North": RED}
PAYMENT_COLOURS = {
    "Credit card": BLUE,
    "Boleto": TEAL,
    "Voucher": AMBER,
    "Debit card": VIOLET,
}
VERDICTS = {"Identical": TEAL, "Explained": AMBER, "Approved": VIOLET, "Differs": RED}
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 260
NAME_PIXELS = 190
"""As wide as the names on an axis are at most."""
LETTER_PIXELS = 7
"""As wide as a letter in a chart is at most, taken over a word."""
HARDLY_ANY = 0.01
"""Share of the heaviest month below which a mean says hardly anything, and must not set the scale of a chart."""


def hardly_any(things: str) -> str:
    """Return what hardly any of some things is, in words."""
    return f"fewer than {HARDLY_ANY:.0%} of the {things} of the month with the most"


_LOOK: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "locale": formats.LOCALE,
    "view": {"stroke": None},
    # Who cannot see a chart reads its numbers, which follow: in its marks, axes and legends what is missing is "null".
    "mark": {"aria": False},
    "axis": {
        "aria": False,
        "labelColor": TEXT,
        "labelOpacity": FAINT,
        "titleColor": TEXT,
        "titleOpacity": FAINT,
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "labelFontSize": 11,
        "gridColor": TEXT,
        "gridOpacity": FAINTEST,
        "domainColor": TEXT,
        "domainOpacity": FAINTEST,
        "tickColor": TEXT,
        "tickOpacity": FAINTEST,
        "labelLimit": NAME_PIXELS,
        "labelExpr": "datum.value === null ? 'Unknown' : datum.label",
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": {
        "aria": False,
        "orient": "top",
        "title": None,
        "labelColor": TEXT,
        "titleColor": TEXT,
        "labelFontSize": 11,
        "symbolType": "square",
        "symbolSize": 90,
        "offset": 4,
        "padding": 0,
    },
    "bar": {"cornerRadiusEnd": 2},
    "text": {"font": FONT, "fontSize": 11, "color": TEXT},
}


CONFIG = alt.Config(**_LOOK)
"""The look as Vega-Lite's configuration; made once, for making it checks it."""


REDDEST = 0.3
"""Share from which a place on the map is wholly red."""


@dataclass(frozen=True)
class Field:
    """A column of a frame, its name for a person and the d3 format of its values (none for text)."""

    name: str
    title: str
    format: str = ""

    def tooltip(self, kind: str) -> alt.Tooltip:
        """Return the tooltip of the column; `kind` is Vega-Lite's type."""
        return alt.Tooltip(f"{self.name}:{kind}", title=self.title, format=self.format or alt.Undefined)


def shades(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in their order."""
    return {name: SERIES[position % len(SERIES)] for position, name in enumerate(names)}


def weighty(frame: pl.DataFrame, weight: str) -> pl.DataFrame:
    """Return the rows that do not rest on hardly any `weight`, beside the heaviest."""
    return frame.filter(rests_on_much(weight))


def month_axis(month: Field, frame: pl.DataFrame) -> alt.X:
    """Return the axis of months, from the frame's first to its last: one in which nothing was has its place, too."""
    # A month is a name on the axis, not a point in time: columns get equal width, and no time zone moves them.
    ends = frame.select(pl.col(month.name).min().alias("first"), pl.col(month.name).max().alias("last")).drop_nulls()
    months = ends.select(pl.date_ranges("first", "last", "1mo").alias("month").explode())["month"].to_list()
    # Vega-Lite draws nothing over a domain of one moment, and the axis of one month needs none.
    named = [alt.DateTime(year=day.year, month=day.month) for day in months]
    return alt.X(
        f"{month.name}:O",
        timeUnit="yearmonth",
        scale=alt.Scale(domain=named if len(named) > 1 else alt.Undefined),
        title=None,
        axis=alt.Axis(
            format=formats.MONTH, labelAngle=0, labelOverlap="greedy", labelSeparation=8, labelPadding=6, ticks=False
        ),
    )


def month_tooltip(month: Field) -> alt.Tooltip:
    """Return the tooltip of a month."""
    return alt.Tooltip(f"{month.name}:T", title=month.title, format=formats.MONTH)


def rests_on_much(weight: str) -> pl.Expr:
    """Return whether a row does not rest on hardly any `weight`, beside the heaviest."""
    return pl.col(weight) >= pl.col(weight).max() * HARDLY_ANY


def measures(*columns: Field) -> list[alt.Tooltip]:
    """Return the tooltips of numbers."""
    return [column.tooltip("Q") for column in columns]


def number_axis(axis_format: str) -> alt.Axis:
    """Return the axis of a measure."""
    # Between two neighbouring whole numbers there is none: a tick there would repeat one of them.
    # Of 0 to 1 Vega takes the middle nonetheless.
    least_step = 1 if axis_format == formats.COUNT else alt.Undefined
    labels = {
        formats.COUNT: "datum.value % 1 ? '' : datum.label",
        formats.MONEY_SHORT: "datum.value == 0 ? 'R$ 0' : datum.label",
    }
    said = labels.get(axis_format, alt.Undefined)
    return alt.Axis(format=axis_format, tickCount=5, tickMinStep=least_step, labelExpr=said)


def name_axis() -> alt.Axis:
    """Return the axis of names."""
    return alt.Axis(domain=False, ticks=False, labelOpacity=1)


def colour_by(field: str, colours: Mapping[str, str], axis: int = 60) -> alt.Color:
    """Return the colours of the values of a field, with their legend, beside an axis of so many pixels."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    widest = LETTER_PIXELS * max((len(name) for name in colours), default=0) + 24  # with its square
    # By the place of the chart: by the chart's own width, which follows from it, a row would be cut off.
    columns = alt.ExprRef(f"max(1, floor((containerSize()[0] - {axis}) / {widest}))")
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None, columns=columns))


def in_order_of(colours: Mapping[str, str], frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the frame with `order_of_part`: the place of each row's `kind` among the colours, the last for another."""
    order = list(colours)
    places = pl.col(kind).replace_strict(order, range(len(order)), default=len(order), return_dtype=pl.Int64)
    return frame.with_columns(places.alias("order_of_part"))


def finished(chart: Any, height: int = HEIGHT) -> alt.TopLevelMixin:
    """Return the chart in the common look, as wide as its place; what is missing reads as in a cell."""
    parts = (chart, *getattr(chart, "layer", ()))
    for part in parts:
        if isinstance(part.data, pl.DataFrame):
            # Else a legend and a tooltip say "null".
            part.data = part.data.with_columns(pl.col(pl.String).fill_null(formats.words(None)))
            own = parts if part is chart else [part]
            _say_what_is_missing(part, [one for one in own if one.encoding is not alt.Undefined])
    finished = chart.properties(
        width="container", height=height, usermeta={"embedOptions": {"actions": False, "renderer": "svg"}}
    )
    finished.config = CONFIG
    return finished  # type: ignore[no-any-return]


def _say_what_is_missing(drawn: Any, encoded: Sequence[Any]) -> None:
    """Let the tooltips of what is drawn of some rows say of a measure that there is none: Vega reads null as 0."""
    missing = {name for name in drawn.data.columns if drawn.data[name].null_count()}
    said: dict[str, str] = {}
    for part in encoded:
        if part.encoding.tooltip is alt.Undefined:
            continue
        for position, tooltip in enumerate(part.encoding.tooltip):
            name, kind = tooltip["shorthand"].rsplit(":", 1)
            shown = tooltip["format"]
            if kind == "Q" and name in missing and shown is not alt.Undefined:
                text = f"format(datum['{name}'], {json.dumps(shown)})"
                said[f"said_{name}"] = f"isValid(datum['{name}']) ? {text} : {json.dumps(formats.NONE)}"
                part.encoding.tooltip[position] = alt.Tooltip(f"said_{name}:N", title=tooltip["title"])
    if said:
        before = [] if drawn.transform is alt.Undefined else drawn.transform
        drawn.transform = [*before, *(alt.CalculateTransform(text, **{"as": name}) for name, text in said.items())]
