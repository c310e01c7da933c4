"""Charts: one look for all of them.

What belongs here: colours, axes, tooltips and the few kinds of charts that the pages use. What does not: figures, and
which chart stands where.

Every function takes a frame and returns an Altair chart as wide as its place. A `Column` says which column of the frame
is meant and how a person reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from dashboards import formats

INK, FAINT, GRID = "#1f2a37", "#6b7684", "#e7ebf0"
BLUE, TEAL, AMBER, RED, VIOLET, GREY = "#1d5fa8", "#2a9d8f", "#e9a23b", "#d1495b", "#7a5ea8", "#b4bec9"
SERIES = (BLUE, TEAL, AMBER, RED, VIOLET, "#5b8fc9", "#87c8bf", "#f2cc8f", "#e39aa6", GREY)
REGIONS = {"Southeast": BLUE, "South": TEAL, "Northeast": AMBER, "Central-West": VIOLET, "North": RED}
VERDICTS = {"Identical": TEAL, "Explained": AMBER, "Differs": RED}
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 260
HARDLY_ANY = 0.01
"""Share of the heaviest month below which a mean says hardly anything, and must not set the scale of a chart."""


_LOOK: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "locale": formats.LOCALE,
    "view": {"stroke": None},
    "axis": {
        "labelColor": FAINT,
        "titleColor": FAINT,
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "labelFontSize": 11,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelLimit": 190,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 11,
        "symbolType": "square",
        "symbolSize": 90,
        "offset": 4,
        "padding": 0,
    },
    "bar": {"cornerRadiusEnd": 2},
    "text": {"font": FONT, "fontSize": 11, "color": INK},
}


CONFIG = alt.Config(**_LOOK)
"""The look as Vega-Lite's configuration; made once, for making it checks it."""


REDDEST = 0.3
"""Share from which a place on the map is wholly red."""


@dataclass(frozen=True)
class Column:
    """A column of a frame, its name for a person and the d3 format of its values (none for text)."""

    name: str
    title: str
    format: str = ""

    def tooltip(self, kind: str) -> alt.Tooltip:
        """Return the tooltip of the column; `kind` is Vega-Lite's type."""
        return alt.Tooltip(f"{self.name}:{kind}", title=self.title, format=self.format or alt.Undefined)


def columns_by_month(
    frame: pl.DataFrame, month: Column, value: Column, *, axis_format: str, also: Sequence[Column] = ()
) -> alt.TopLevelMixin:
    """Return a column a month; `also` are further columns of the tooltip."""
    bars = (
        alt.Chart(frame)
        .mark_bar(color=BLUE)
        .encode(
            x=_months(month),
            y=alt.Y(f"{value.name}:Q", title=None, axis=_axis(axis_format)),
            tooltip=[_month_tooltip(month), *_measures(value, *also)],
        )
    )
    return _finished(bars)


def lines(
    frame: pl.DataFrame,
    month: Column,
    value: Column,
    weight: Column,
    *,
    axis_format: str,
    colour: str = TEAL,
    domain: tuple[float, float] | None = None,
) -> alt.TopLevelMixin:
    """Return one line over months, on an axis from 0 or over `domain`.

    `weight` says on how much each value rests. A month with hardly any of it is a hollow point at the edge at most: a
    mean of four orders would otherwise set the scale for all the others.
    """
    counts = _rests_on_much(weight.name)
    solid, hollow = frame.filter(counts), frame.filter(~counts)
    top = domain[1] if domain else float(solid[value.name].max() or 1.0) * 1.05  # type: ignore[arg-type]
    scale = alt.Scale(domain=[domain[0] if domain else 0, top], clamp=True, nice=domain is None)
    tooltip = [_month_tooltip(month), *_measures(value, weight)]
    y = alt.Y(f"{value.name}:Q", title=None, axis=_axis(axis_format), scale=scale)
    base = alt.Chart(solid).encode(x=_months(month), y=y, tooltip=tooltip)
    faint = alt.Chart(hollow).encode(x=_months(month), y=y, tooltip=tooltip)
    return _finished(
        base.mark_line(color=colour, strokeWidth=2.5)
        + base.mark_point(color=colour, filled=True, size=36, opacity=1)
        + faint.mark_point(color=GREY, filled=False, size=30)
    )


def area_by_day(
    frame: pl.DataFrame, day: Column, value: Column, mean: Column, *, axis_format: str
) -> alt.TopLevelMixin:
    """Return a thin column a day under the line of a moving mean."""
    base = alt.Chart(frame).encode(
        x=alt.X(f"{day.name}:T", title=None, axis=alt.Axis(format=formats.MONTH, grid=False, tickCount=8)),
        tooltip=[day.tooltip("T"), value.tooltip("Q"), mean.tooltip("Q")],
    )
    daily = base.mark_area(color=BLUE, opacity=0.22, interpolate="step-after").encode(
        y=alt.Y(f"{value.name}:Q", title=None, axis=_axis(axis_format))
    )
    return _finished(daily + base.mark_line(color=BLUE, strokeWidth=2.5).encode(y=f"{mean.name}:Q"))


def stacked_by_month(
    frame: pl.DataFrame,
    month: Column,
    value: Column,
    kind: Column,
    colours: Mapping[str, str],
    *,
    axis_format: str,
    share: bool = False,
) -> alt.TopLevelMixin:
    """Return a stacked column a month; `share` shows parts of the whole. `colours` gives the order of the parts."""
    order = list(colours)
    ranked = frame.with_columns(pl.col(kind.name).replace_strict(order, range(len(order))).alias("order_of_part"))
    chart = (
        alt.Chart(ranked)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            x=_months(month),
            y=alt.Y(f"{value.name}:Q", title=None, axis=_axis(axis_format), stack="normalize" if share else "zero"),
            color=_colours(kind.name, colours),
            order=alt.Order("order_of_part:Q"),
            tooltip=[_month_tooltip(month), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return _finished(chart)


def ranking(
    frame: pl.DataFrame,
    name: Column,
    value: Column,
    *,
    axis_format: str,
    also: Sequence[Column] = (),
    colour: str = BLUE,
    kind: Column | None = None,
    colours: Mapping[str, str] | None = None,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Return a horizontal bar a row, in the frame's order, with its value beside it; `kind` may colour them."""
    longest = float(frame[value.name].max() or 1.0) if frame.height else 1.0  # type: ignore[arg-type]
    # The axis is longer than the longest bar, so that its value has room beside it.
    scale = alt.Scale(domain=[0, longest * 1.25], nice=False)
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=_names()),
        x=alt.X(f"{value.name}:Q", title=None, axis=None, scale=scale),
        tooltip=[name.tooltip("N"), *([kind.tooltip("N")] if kind else []), *_measures(value, *also)],
    )
    bars = base.mark_bar(color=colour)
    if kind is not None:
        bars = base.mark_bar().encode(color=_colours(kind.name, colours or {}))
    text = base.mark_text(align="left", dx=5).encode(
        text=alt.Text(f"{value.name}:Q", format=axis_format), color=alt.value(FAINT)
    )
    return _finished(bars + text, height or max(120, 24 * frame.height))


def stacked_ranking(
    frame: pl.DataFrame,
    name: Column,
    value: Column,
    kind: Column,
    colours: Mapping[str, str],
    *,
    axis_format: str,
    share: bool = False,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Return a horizontal bar a name, stacked by kind."""
    order = list(colours)
    ranked = frame.with_columns(pl.col(kind.name).replace_strict(order, range(len(order))).alias("order_of_part"))
    chart = (
        alt.Chart(ranked)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=_names()),
            x=alt.X(f"{value.name}:Q", title=None, axis=_axis(axis_format), stack="normalize" if share else "zero"),
            color=_colours(kind.name, colours),
            order=alt.Order("order_of_part:Q"),
            tooltip=[name.tooltip("N"), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return _finished(chart, height or max(120, 26 * frame[name.name].n_unique()))


def heatmap(
    frame: pl.DataFrame,
    across: Column,
    down: Column,
    value: Column,
    *,
    down_order: Sequence[Any] | None = None,
    also: Sequence[Column] = (),
    height: int = HEIGHT,
    label_format: str = "",
    span: tuple[float, float] | None = None,
) -> alt.TopLevelMixin:
    """Return a coloured cell for each pair, darker for more, over the values of `span`.

    `label_format` writes the values into the cells.
    """
    base = alt.Chart(frame).encode(
        x=alt.X(
            f"{across.name}:O",
            title=across.title,
            axis=alt.Axis(labelAngle=0, labelOverlap=True, domain=False, ticks=False),
        ),
        y=alt.Y(
            f"{down.name}:O", title=None if not down.title else down.title, sort=list(down_order or []) or "ascending"
        ),
        tooltip=[down.tooltip("N"), across.tooltip("N"), value.tooltip("Q"), *(column.tooltip("Q") for column in also)],
    )
    cells = base.mark_rect(cornerRadius=1, stroke="white", strokeWidth=1).encode(
        color=alt.Color(
            f"{value.name}:Q",
            scale=alt.Scale(scheme="blues", domain=list(span), clamp=True) if span else alt.Scale(scheme="blues"),
            legend=alt.Legend(format=value.format, gradientLength=140, gradientThickness=8, orient="top"),
        )
    )
    if not label_format:
        return _finished(cells, height)
    least, most = frame[value.name].min() or 0, frame[value.name].max() or 0
    middle = (float(least) + float(most)) / 2  # type: ignore[arg-type]
    labels = base.mark_text(fontSize=10).encode(
        text=alt.Text(f"{value.name}:Q", format=label_format),
        color=alt.condition(f"datum['{value.name}'] > {middle}", alt.value("white"), alt.value(INK)),
    )
    return _finished(cells + labels, height)


def bubbles(
    frame: pl.DataFrame,
    across: Column,
    up: Column,
    size: Column,
    *,
    named: Sequence[Column],
    kind: Column | None = None,
    colours: Mapping[str, str] | None = None,
    up_domain: tuple[float, float] | None = None,
    logarithmic: bool = False,
    height: int = 320,
) -> alt.TopLevelMixin:
    """Return a bubble a row between two measures, its area a third one; `kind` may colour them."""
    across_scale = alt.Scale(type="log") if logarithmic else alt.Scale(zero=True)
    up_scale = alt.Scale(domain=list(up_domain)) if up_domain else alt.Scale(zero=False)
    chart = (
        alt.Chart(frame)
        .mark_circle(opacity=0.55, stroke="white", strokeWidth=0.5, color=BLUE)
        .encode(
            x=alt.X(f"{across.name}:Q", title=across.title, axis=_axis(across.format), scale=across_scale),
            y=alt.Y(f"{up.name}:Q", title=up.title, axis=_axis(up.format), scale=up_scale),
            size=alt.Size(f"{size.name}:Q", scale=alt.Scale(range=[15, 900]), legend=None),
            tooltip=[*(c.tooltip("N") for c in named), across.tooltip("Q"), up.tooltip("Q"), size.tooltip("Q")],
        )
    )
    if kind is not None:
        chart = chart.encode(color=_colours(kind.name, colours or {}))
    return _finished(chart, height)


def curve(frame: pl.DataFrame, across: Column, up: Column) -> alt.TopLevelMixin:
    """Return the curve of a share that grows with a percentage."""
    chart = (
        alt.Chart(frame)
        .mark_area(color=BLUE, opacity=0.2, line={"color": BLUE, "strokeWidth": 2.5})
        .encode(
            x=alt.X(f"{across.name}:Q", title=across.title, axis=alt.Axis(grid=False, labelExpr="datum.label + '%'")),
            y=alt.Y(f"{up.name}:Q", title=None, axis=_axis(formats.PERCENT), scale=alt.Scale(domain=[0, 1])),
            tooltip=[across.tooltip("Q"), up.tooltip("Q")],
        )
    )
    return _finished(chart)


def columns(
    frame: pl.DataFrame,
    across: Column,
    value: Column,
    *,
    axis_format: str,
    also: Sequence[Column] = (),
    colour: str = BLUE,
    kind: Column | None = None,
    colours: Mapping[str, str] | None = None,
    height: int = HEIGHT,
) -> alt.TopLevelMixin:
    """Return a column a row, in the frame's order; `kind` may colour them."""
    chart = (
        alt.Chart(frame)
        .mark_bar(color=colour)
        .encode(
            x=alt.X(
                f"{across.name}:O",
                title=across.title or None,
                sort=None,
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(f"{value.name}:Q", title=None, axis=_axis(axis_format)),
            tooltip=[across.tooltip("N"), value.tooltip("Q"), *(column.tooltip("Q") for column in also)],
        )
    )
    if kind is not None:
        chart = chart.encode(color=_colours(kind.name, colours or {}))
    return _finished(chart, height)


def shades(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in their order."""
    return {name: SERIES[position % len(SERIES)] for position, name in enumerate(names)}


def weighty(frame: pl.DataFrame, weight: str) -> pl.DataFrame:
    """Return the rows that do not rest on hardly any `weight`, beside the heaviest."""
    return frame.filter(_rests_on_much(weight))


def usual_span(frame: pl.DataFrame, value: str, weight: str, *, zero: bool = True) -> tuple[float, float] | None:
    """Return the span of the values that rest on some weight, from 0 or the least; None where there is none."""
    values = weighty(frame, weight)[value].drop_nulls()
    if values.is_empty() or values.max() == 0:
        return None
    return (0.0 if zero else float(values.min()), float(values.max()))  # type: ignore[arg-type]


def place_map(
    frame: pl.DataFrame, size: Column, shade: Column, named: Sequence[Column], also: Sequence[Column]
) -> alt.TopLevelMixin:
    """Return cities at their coordinates (columns `longitude`, `latitude`), which draw the country by themselves."""
    chart = (
        alt.Chart(frame)
        .mark_circle(opacity=0.75, stroke="white", strokeWidth=0.4)
        .encode(
            longitude="longitude:Q",
            latitude="latitude:Q",
            size=alt.Size(f"{size.name}:Q", scale=alt.Scale(range=[8, 1400]), legend=None),
            color=alt.Color(
                f"{shade.name}:Q",
                scale=alt.Scale(scheme="redyellowblue", reverse=True, domain=[0, REDDEST], clamp=True),
                legend=alt.Legend(
                    title=shade.title, format=formats.PERCENT, gradientLength=160, gradientThickness=8, orient="top"
                ),
            ),
            order=alt.Order(f"{size.name}:Q", sort="descending"),
            tooltip=[
                *(c.tooltip("N") for c in named),
                size.tooltip("Q"),
                shade.tooltip("Q"),
                *(c.tooltip("Q") for c in also),
            ],
        )
        .project(type="mercator")
    )
    return _finished(chart, 520)


def diverging(frame: pl.DataFrame, name: Column, left: Column, right: Column, *, height: int) -> alt.TopLevelMixin:
    """Return two bars a row, one to the left and one to the right of a common middle."""
    absolute = _short_money(f"format(abs(datum.value), '{formats.MONEY_SHORT}')")
    titles = {left.title: TEAL, right.title: BLUE}
    parts = [
        frame.select(
            pl.col(name.name),
            pl.lit(c.title).alias("side"),
            (pl.col(c.name) * sign).alias("signed"),
            pl.col(c.name).alias("value"),
        )
        for c, sign in ((left, -1), (right, 1))
    ]
    chart = (
        alt.Chart(pl.concat(parts))
        .mark_bar()
        .encode(
            y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=_names()),
            x=alt.X(
                "signed:Q",
                title=None,
                axis=alt.Axis(labelExpr=absolute, tickCount=6),
            ),
            color=_colours("side", titles),
            tooltip=[
                name.tooltip("N"),
                alt.Tooltip("side:N", title="Side"),
                alt.Tooltip("value:Q", title="Revenue", format=left.format),
            ],
        )
    )
    return _finished(chart, height)


def _months(month: Column) -> alt.X:
    # A month is a name on the axis, not a point in time: columns get equal width, and no time zone moves them.
    return alt.X(
        f"{month.name}:O",
        timeUnit="yearmonth",
        title=None,
        axis=alt.Axis(format=formats.MONTH, labelAngle=0, labelOverlap="greedy", labelSeparation=8, ticks=False),
    )


def _month_tooltip(month: Column) -> alt.Tooltip:
    return alt.Tooltip(f"{month.name}:T", title=month.title, format=formats.MONTH)


def _rests_on_much(weight: str) -> pl.Expr:
    return pl.col(weight) >= pl.col(weight).max() * HARDLY_ANY


def _measures(*columns: Column) -> list[alt.Tooltip]:
    return [column.tooltip("Q") for column in columns]


def _axis(axis_format: str) -> alt.Axis:
    if axis_format != formats.MONEY_SHORT:
        return alt.Axis(format=axis_format, tickCount=5)
    return alt.Axis(format=axis_format, tickCount=5, labelExpr=_short_money("datum.label"))


def _short_money(label: str) -> str:
    """Return the expression that abbreviates thousands and millions as Brazil does."""
    return f"datum.value == 0 ? 'R$ 0' : replace(replace({label}, 'M', ' mi'), 'k', ' mil')"


def _names() -> alt.Axis:
    return alt.Axis(domain=False, ticks=False, labelColor=INK)


def _colours(field: str, colours: Mapping[str, str]) -> alt.Color:
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None))


def _finished(chart: Any, height: int = HEIGHT) -> alt.TopLevelMixin:
    finished = chart.properties(width="container", height=height, usermeta={"embedOptions": {"actions": False}})
    finished.config = CONFIG
    return finished  # type: ignore[no-any-return]
