"""The look of charts: axes that do not deceive."""

from datetime import date

import altair as alt
import polars as pl
import vl_convert

from dashboards import charts, formats
from dashboards.look import REGIONS, Field, finished, month_axis

MONTH = Field("month", "Month")


def domain(*months):
    frame = pl.DataFrame({"month": months}, schema={"month": pl.Date})
    axis = alt.Chart(frame).mark_bar().encode(x=month_axis(MONTH, frame)).to_dict()["encoding"]["x"]
    return axis.get("scale", {}).get("domain")


def test_a_month_without_rows_has_its_place_on_the_axis():
    assert domain(date(2016, 10, 1), date(2017, 1, 1), None) == [
        {"year": 2016, "month": 10},
        {"year": 2016, "month": 11},
        {"year": 2016, "month": 12},
        {"year": 2017, "month": 1},
    ]


def test_no_month_is_no_axis_that_somebody_chose():
    assert domain() is None


def test_a_single_month_is_drawn():
    """One month of business, or one that was chosen: Vega-Lite draws nothing over a domain of one moment."""
    frame = pl.DataFrame({"month": [date(2018, 5, 1)], "orders": [3]})
    chart = alt.Chart(frame).mark_bar().encode(x=month_axis(MONTH, frame), y="orders:Q")
    assert "May 2018" in vl_convert.vegalite_to_svg(chart.to_dict())


def test_a_name_that_is_missing_is_unknown():
    """Old is served as it is: a review may have no score."""
    frame = pl.DataFrame({"score": [None, "5"], "reviews": [1, 2]})
    svg = vl_convert.vegalite_to_svg(finished(alt.Chart(frame).mark_bar().encode(x="score:N", y="reviews:Q")).to_dict())
    assert ">Unknown<" in svg
    assert "null" not in svg


def test_a_colour_whose_name_is_missing_is_unknown_in_legend_and_tooltip():
    frame = pl.DataFrame({"seller": ["a", "b"], "region": ["South", None], "sales": [1, 2]})
    bars = charts.ranking(
        frame,
        Field("seller", "Seller"),
        Field("sales", "Sales", formats.COUNT),
        axis_format=formats.COUNT,
        kind=Field("region", "Region"),
        colours=REGIONS,
    )
    layered = finished(alt.Chart(frame).mark_bar().encode(x="seller:N", y="sales:Q", color="region:N"))
    assert ">Unknown<" in vl_convert.vegalite_to_svg(layered.to_dict())
    for chart in (bars, layered):
        [rows] = chart.to_dict()["datasets"].values()
        assert [row["region"] for row in rows] == ["South", "Unknown"]


def test_a_measure_that_is_missing_is_none_in_its_tooltip():
    """Vega formats null as 0. The tooltip is drawn as the text of a mark, which is all that SVG keeps."""
    frame = pl.DataFrame({"seller": ["a", "b"], "sales": [1200, 3], "score": [None, 4.5]})
    chart = charts.ranking(
        frame,
        Field("seller", "Seller"),
        Field("sales", "Sales", formats.COUNT),
        axis_format=formats.COUNT,
        also=[Field("score", "Score", ".2f")],
    ).to_dict()
    drawn = {**chart, "layer": [{**chart["layer"][0], "mark": "text"}]}
    *_, score = drawn["layer"][0]["encoding"]["tooltip"]
    drawn["layer"][0]["encoding"]["text"] = {key: score[key] for key in ("field", "type", "format") if key in score}
    svg = vl_convert.vegalite_to_svg(drawn)
    assert (">4.50<" in svg, f">{formats.NONE}<" in svg, ">0.00<" in svg) == (True, True, False)
