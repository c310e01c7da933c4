"""Series: charts over time.

What belongs here: one function a kind. What does not: charts of other things (`charts`), colours, axes and tooltips
(`look`), and figures.

Every function takes a frame and returns an Altair chart as wide as its place. A `Field` says which column of the frame
is meant and how a person reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from dashboards import formats
from dashboards.look import (
    BLUE,
    GREY,
    TEAL,
    Field,
    colour_by,
    finished,
    measures,
    month_axis,
    month_tooltip,
    number_axis,
    rests_on_much,
)


def columns_by_month(
    frame: pl.DataFrame, month: Field, value: Field, *, axis_format: str, also: Sequence[Field] = ()
) -> alt.TopLevelMixin:
    """Return a column a month; `also` are further columns of the tooltip."""
    bars = (
        alt.Chart(frame)
        .mark_bar(color=BLUE)
        .encode(
            x=month_axis(month),
            y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(axis_format)),
            tooltip=[month_tooltip(month), *measures(value, *also)],
        )
    )
    return finished(bars)


def lines(
    frame: pl.DataFrame,
    month: Field,
    value: Field,
    weight: Field,
    *,
    axis_format: str,
    colour: str = TEAL,
    domain: tuple[float, float] | None = None,
) -> alt.TopLevelMixin:
    """Return one line over months, on an axis from 0 or over `domain`.

    `weight` says on how much each value rests. A month with hardly any of it is a hollow point at the edge at most: a
    mean of four orders would otherwise set the scale for all the others.
    """
    counts = rests_on_much(weight.name)
    solid, hollow = frame.filter(counts), frame.filter(~counts)
    top = domain[1] if domain else float(solid[value.name].max() or 1.0) * 1.05  # type: ignore[arg-type]
    scale = alt.Scale(domain=[domain[0] if domain else 0, top], clamp=True, nice=domain is None)
    tooltip = [month_tooltip(month), *measures(value, weight)]
    y = alt.Y(f"{value.name}:Q", title=None, axis=number_axis(axis_format), scale=scale)
    base = alt.Chart(solid).encode(x=month_axis(month), y=y, tooltip=tooltip)
    faint = alt.Chart(hollow).encode(x=month_axis(month), y=y, tooltip=tooltip)
    return finished(
        base.mark_line(color=colour, strokeWidth=2.5)
        + base.mark_point(color=colour, filled=True, size=36, opacity=1)
        + faint.mark_point(color=GREY, filled=False, size=30)
    )


def area_by_day(frame: pl.DataFrame, day: Field, value: Field, mean: Field, *, axis_format: str) -> alt.TopLevelMixin:
    """Return a thin column a day under the line of a moving mean."""
    base = alt.Chart(frame).encode(
        x=alt.X(f"{day.name}:T", title=None, axis=alt.Axis(format=formats.MONTH, grid=False, tickCount=8)),
        tooltip=[day.tooltip("T"), value.tooltip("Q"), mean.tooltip("Q")],
    )
    daily = base.mark_area(color=BLUE, opacity=0.22, interpolate="step-after").encode(
        y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(axis_format))
    )
    return finished(daily + base.mark_line(color=BLUE, strokeWidth=2.5).encode(y=f"{mean.name}:Q"))


def stacked_by_month(
    frame: pl.DataFrame,
    month: Field,
    value: Field,
    kind: Field,
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
            x=month_axis(month),
            y=alt.Y(
                f"{value.name}:Q", title=None, axis=number_axis(axis_format), stack="normalize" if share else "zero"
            ),
            color=colour_by(kind.name, colours),
            order=alt.Order("order_of_part:Q"),
            tooltip=[month_tooltip(month), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart)
