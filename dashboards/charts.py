"""Charts: the few kinds that the pages use, besides those over time (see `series`).

What belongs here: one function a kind. What does not: colours, axes and tooltips (see `look`), figures, and which chart
stands where.

Every function takes a frame and returns an Altair chart as wide as its place. A `Field` says which column of the frame
is meant and how a person reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from dashboards import formats
from dashboards.look import (
    BLUE,
    FAINT,
    GREY,
    HEIGHT,
    INK,
    LETTER_PIXELS,
    NAME_PIXELS,
    REDDEST,
    TEAL,
    TEXT,
    Field,
    colour_by,
    finished,
    in_order_of,
    measures,
    name_axis,
    number_axis,
    rests_on_much,
)


def ranking(
    frame: pl.DataFrame,
    name: Field,
    value: Field,
    *,
    axis_format: str,
    also: Sequence[Field] = (),
    colour: str = BLUE,
    kind: Field | None = None,
    colours: Mapping[str, str] | None = None,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Return a horizontal bar a row, in the frame's order, with its value beside it; `kind` may colour them."""
    longest = float(frame[value.name].max() or 1.0) if frame.height else 1.0  # type: ignore[arg-type]
    # The longest bar ends where its value has room beside it, however narrow the chart is.
    letters = max((len(formats.TEXT_OF[axis_format](number)) for number in frame[value.name]), default=0)
    end = alt.ExprRef(f"max(width - {LETTER_PIXELS * letters + LETTER_PIXELS}, 0)")
    scale = alt.Scale(domain=[0, longest], nice=False, rangeMax=end)
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=name_axis()),
        x=alt.X(f"{value.name}:Q", title=None, axis=None, scale=scale),
        tooltip=[name.tooltip("N"), *([kind.tooltip("N")] if kind else []), *measures(value, *also)],
    )
    bars = base.mark_bar(color=colour)
    if kind is not None:
        bars = base.mark_bar().encode(color=colour_by(kind.name, colours or {}, NAME_PIXELS))
    text = base.mark_text(align="left", dx=5).encode(
        text=alt.Text(f"{value.name}:Q", format=axis_format), color=alt.value(TEXT), opacity=alt.value(FAINT)
    )
    return finished(bars + text, height or max(120, 24 * frame.height))


def stacked_ranking(
    frame: pl.DataFrame,
    name: Field,
    value: Field,
    kind: Field,
    colours: Mapping[str, str],
    *,
    axis_format: str,
    share: bool = False,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Return a horizontal bar a name, stacked by kind."""
    chart = (
        alt.Chart(in_order_of(colours, frame, kind.name))
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=name_axis()),
            x=alt.X(
                f"{value.name}:Q", title=None, axis=number_axis(axis_format), stack="normalize" if share else "zero"
            ),
            color=colour_by(kind.name, colours, NAME_PIXELS),
            order=alt.Order("order_of_part:Q"),
            tooltip=[name.tooltip("N"), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart, height or max(120, 26 * frame[name.name].n_unique()))


def heatmap(
    frame: pl.DataFrame,
    across: Field,
    down: Field,
    value: Field,
    *,
    down_order: Sequence[Any] | None = None,
    also: Sequence[Field] = (),
    height: int = HEIGHT,
    label_format: str = "",
    weight: str = "",
) -> alt.TopLevelMixin:
    """Return a coloured cell for each pair, darker for more.

    `label_format` writes the values into the cells. `weight` names the column on which each value rests: a cell that
    rests on hardly any has no colour, for it would set the scale for all others.
    """
    tooltip = [down.tooltip("N"), across.tooltip("N"), value.tooltip("Q"), *(column.tooltip("Q") for column in also)]
    x = alt.X(
        f"{across.name}:O",
        title=across.title,
        axis=alt.Axis(labelAngle=0, labelOverlap=True, domain=False, ticks=False),
    )
    y = alt.Y(f"{down.name}:O", title=down.title or None, sort=list(down_order or []) or "ascending")
    counts = rests_on_much(weight) if weight else pl.lit(True)
    base = alt.Chart(frame.filter(counts)).encode(x=x, y=y, tooltip=tooltip)
    cells = base.mark_rect(cornerRadius=1, stroke="white", strokeWidth=1).encode(
        color=alt.Color(
            f"{value.name}:Q",
            scale=alt.Scale(scheme="blues"),
            legend=alt.Legend(format=value.format, gradientLength=140, gradientThickness=8, orient="top"),
        )
    )
    if weight and frame.filter(~counts).height:
        uncoloured = alt.Chart(frame.filter(~counts)).encode(x=x, y=y, tooltip=tooltip)
        return finished(cells + uncoloured.mark_rect(cornerRadius=1, color=GREY, opacity=0.35), height)
    if not label_format:
        return finished(cells, height)
    least, most = frame[value.name].min() or 0, frame[value.name].max() or 0
    middle = (float(least) + float(most)) / 2  # type: ignore[arg-type]
    labels = base.mark_text(fontSize=10).encode(
        text=alt.Text(f"{value.name}:Q", format=label_format),
        color=alt.condition(f"datum['{value.name}'] > {middle}", alt.value("white"), alt.value(INK)),
    )
    return finished(cells + labels, height)


def bubbles(
    frame: pl.DataFrame,
    across: Field,
    up: Field,
    size: Field,
    *,
    named: Sequence[Field],
    kind: Field | None = None,
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
            x=alt.X(f"{across.name}:Q", title=across.title, axis=number_axis(across.format), scale=across_scale),
            y=alt.Y(f"{up.name}:Q", title=up.title, axis=number_axis(up.format), scale=up_scale),
            size=alt.Size(f"{size.name}:Q", scale=alt.Scale(range=[15, 900]), legend=None),
            tooltip=[*(c.tooltip("N") for c in named), across.tooltip("Q"), up.tooltip("Q"), size.tooltip("Q")],
        )
    )
    if kind is not None:
        chart = chart.encode(color=colour_by(kind.name, colours or {}, NAME_PIXELS))
    return finished(chart, height)


def curve(frame: pl.DataFrame, across: Field, up: Field) -> alt.TopLevelMixin:
    """Return the curve of a share that grows with a percentage."""
    chart = (
        alt.Chart(frame)
        .mark_area(color=BLUE, opacity=0.2, line={"color": BLUE, "strokeWidth": 2.5})
        .encode(
            x=alt.X(
                f"{across.name}:Q",
                title=across.title,
                axis=alt.Axis(grid=False, labelExpr="datum.label + '%'", tickMinStep=1),
            ),
            y=alt.Y(f"{up.name}:Q", title=None, axis=number_axis(formats.PERCENT), scale=alt.Scale(domain=[0, 1])),
            tooltip=[across.tooltip("Q"), up.tooltip("Q")],
        )
    )
    return finished(chart)


def columns(
    frame: pl.DataFrame,
    across: Field,
    value: Field,
    *,
    axis_format: str,
    also: Sequence[Field] = (),
    colour: str = BLUE,
    kind: Field | None = None,
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
            y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(axis_format)),
            tooltip=[across.tooltip("N"), value.tooltip("Q"), *(column.tooltip("Q") for column in also)],
        )
    )
    if kind is not None:
        chart = chart.encode(color=colour_by(kind.name, colours or {}, NAME_PIXELS))
    return finished(chart, height)


def stacked_columns(
    frame: pl.DataFrame, across: Field, value: Field, kind: Field, colours: Mapping[str, str]
) -> alt.TopLevelMixin:
    """Return a stacked column a day; `colours` gives the order of the parts."""
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            x=alt.X(
                f"{across.name}:O",
                timeUnit="yearmonthdate",
                title=None,
                axis=alt.Axis(format=across.format, labelAngle=0, labelOverlap="greedy", labelPadding=6, ticks=False),
            ),
            y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(value.format)),
            color=colour_by(kind.name, colours),
            tooltip=[across.tooltip("T"), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart)


def place_map(
    frame: pl.DataFrame, size: Field, shade: Field, named: Sequence[Field], also: Sequence[Field]
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
                    title=shade.title,
                    format=formats.PERCENT,
                    # Beyond it the colour does not grow any more, so the scale says so.
                    labelExpr=f"datum.value >= {REDDEST} ? datum.label + ' or more' : datum.label",
                    gradientLength=160,
                    gradientThickness=8,
                    orient="top",
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
    return finished(chart, 520)


def diverging(frame: pl.DataFrame, name: Field, left: Field, right: Field, *, height: int) -> alt.TopLevelMixin:
    """Return two bars a row, one to the left and one to the right of a common middle."""
    absolute = f"format(abs(datum.value), '{formats.MONEY_SHORT}')"
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
            y=alt.Y(f"{name.name}:N", sort=None, title=None, axis=name_axis()),
            x=alt.X(
                "signed:Q",
                title=None,
                axis=alt.Axis(labelExpr=absolute, tickCount=6),
            ),
            color=colour_by("side", titles),
            tooltip=[
                name.tooltip("N"),
                alt.Tooltip("side:N", title="Side"),
                alt.Tooltip("value:Q", title="Revenue", format=left.format),
            ],
        )
    )
    return finished(chart, height)
