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
    in_order_of,
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
            x=month_axis(month, frame),
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

    `weight` says on how much each value rests. A month with hardly any of it does not set the scale, for a mean of
    four orders would hide all the others: it is a hollow point, and where it lies beyond the axis an arrow at its edge
    with the value beside it.
    """
    counts = rests_on_much(weight.name)
    solid, hollow = frame.filter(counts), frame.filter(~counts)
    top = domain[1] if domain else float(solid[value.name].max() or 1.0) * 1.05  # type: ignore[arg-type]
    scale = alt.Scale(domain=[domain[0] if domain else 0, top], nice=False)
    within, beyond = hollow.filter(pl.col(value.name) <= top), hollow.filter(pl.col(value.name) > top)
    tooltip = [month_tooltip(month), *measures(value, weight)]
    x = month_axis(month, frame)
    y = alt.Y(f"{value.name}:Q", title=None, axis=number_axis(axis_format), scale=scale)
    base = alt.Chart(solid).encode(x=x, y=y, tooltip=tooltip)
    faint = alt.Chart(within).encode(x=x, y=y, tooltip=tooltip)
    edge = alt.Chart(beyond).encode(x=x, y=alt.value(0), tooltip=tooltip)
    points = base.mark_point(color=colour, filled=True, size=36, opacity=1)
    layers = [base.mark_line(color=colour, strokeWidth=2.5), points]
    # No layer without marks: to a screen reader it would be a picture without a name.
    if within.height:
        layers.append(faint.mark_point(color=GREY, filled=False, size=30))
    if beyond.height:
        layers.append(edge.mark_point(color=GREY, filled=True, size=50, opacity=1, shape="triangle-up"))
        layers.append(
            edge.mark_text(angle=270, align="left", dx=9).encode(text=alt.Text(f"{value.name}:Q", format=axis_format))
        )
    return finished(alt.layer(*layers))


def area_by_day(frame: pl.DataFrame, day: Field, value: Field, mean: Field, *, axis_format: str) -> alt.TopLevelMixin:
    """Return a thin column a day under the line of a moving mean."""
    base = alt.Chart(frame).encode(
        x=alt.X(
            f"{day.name}:T", title=None, axis=alt.Axis(format=formats.MONTH, grid=False, tickCount=8, labelOverlap=True)
        ),
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
    chart = (
        alt.Chart(in_order_of(colours, frame, kind.name))
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            x=month_axis(month, frame),
            y=alt.Y(
                f"{value.name}:Q", title=None, axis=number_axis(axis_format), stack="normalize" if share else "zero"
            ),
            color=colour_by(kind.name, colours),
            order=alt.Order("order_of_part:Q"),
            tooltip=[month_tooltip(month), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart)


def grouped_by_run(
    frame: pl.DataFrame, at: Field, value: Field, kind: Field, colours: Mapping[str, str]
) -> alt.TopLevelMixin:
    """Return a column a run and kind, beside each other, in the order of the runs."""
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=_run_axis(at),
            xOffset=alt.XOffset(f"{kind.name}:N", sort=list(colours)),
            y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(value.format)),
            color=colour_by(kind.name, colours),
            tooltip=[at.tooltip("T"), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart)


def lines_by_run(
    frame: pl.DataFrame, at: Field, value: Field, kind: Field, colours: Mapping[str, str]
) -> alt.TopLevelMixin:
    """Return a line a kind over the runs."""
    chart = (
        alt.Chart(frame)
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=_run_axis(at),
            y=alt.Y(f"{value.name}:Q", title=None, axis=number_axis(value.format)),
            color=colour_by(kind.name, colours),
            tooltip=[at.tooltip("T"), kind.tooltip("N"), value.tooltip("Q")],
        )
    )
    return finished(chart)


def _run_axis(at: Field) -> alt.X:
    # A run is a name, not a point in time: runs have equal width, however long nobody ran anything.
    return alt.X(
        f"{at.name}:O",
        timeUnit="utcyearmonthdatehoursminutes",
        title=None,
        axis=alt.Axis(format=at.format, labelAngle=0, labelOverlap="greedy", labelPadding=6, ticks=False),
    )
