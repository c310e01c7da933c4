"""The pages as their notebooks make them, without a browser: charts that Vega-Lite takes, and words for people."""

import importlib
import json
import re
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import altair as alt
import polars as pl
import pytest

from dashboards import cells, formats, look, page, series
from dashboards import charts as charts_module
from dashboards.export import content_of, export, html
from dashboards.look import Field
from dashboards.numbers import numbers
from dashboards.page import EMPTY, LEADS, NOTEBOOKS, PAGES, Panel, Table, index, pages_of, specification
from dashboards.queries import QUERIES
from dashboards.server import application
from olist_pipeline.errors import OlistError
from olist_pipeline.parity.attribution import ParityVerdict
from olist_pipeline.settings import PROJECT_DIR
from tests.dashboards.test_release import make_release


@pytest.fixture(scope="module")
def contents(homes):
    """Every page, made once over the release of the old tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(homes / "old"))
        return {name: content_of(name) for name in PAGES}


@pytest.fixture(params=PAGES)
def content(request, contents):
    return contents[request.param]


@pytest.fixture(scope="module")
def all_specs(contents):
    """The charts of every page as Vega-Lite has them, which they must be for it."""
    return {name: [chart.to_dict(validate=True) for chart in charts(content)] for name, content in contents.items()}


@pytest.fixture
def specs(content, contents, all_specs):
    """The charts of the page."""
    return next(all_specs[name] for name in PAGES if contents[name] is content)


HEAVY = 3_000
"""Rows of a chart; the page carries them."""


def charts(content):
    return [block.chart for block in content.blocks if isinstance(block, Panel)]


def texts_of(spec):
    """Return what a person reads of a chart: titles of axes, legends and tooltips."""
    if isinstance(spec, dict):
        yield from (value for key, value in spec.items() if key == "title" and isinstance(value, str))
        yield from (text for key, value in spec.items() if key != "datasets" for text in texts_of(value))
    elif isinstance(spec, list):
        yield from (text for value in spec for text in texts_of(value))


def test_shows_the_release_that_is_served(content, releases):
    served = releases["old"]
    assert content.release == served
    assert f"Release {served.number}" in content.head(str)
    assert formats.day(served.as_of) in content.head(str)


def test_charts_are_what_vega_lite_takes(specs):
    assert len(specs) >= 3, "charts, not only tables"
    for spec in specs:
        assert spec["width"] == "container"
        assert spec["config"]["locale"]["number"]["decimal"] == "."
        assert spec["config"]["background"] == "transparent", "the page is light or dark, as its reader wants"


def test_no_chart_is_empty_and_none_is_heavy(specs):
    for spec in specs:
        rows = [len(rows) for rows in spec["datasets"].values()]
        assert 0 < max(rows) <= HEAVY


def test_a_person_reads_words_and_no_names_of_columns(content, specs):
    titles = [text for spec in specs for text in texts_of(spec)]
    titles += [block.title for block in content.blocks] + [figure.label for figure in content.figures]
    titles += [heading for block in content.blocks if isinstance(block, Table) for heading, _ in block.columns.values()]
    assert titles
    assert [title for title in titles if re.search(r"[a-z]_[a-z]", title)] == []


def test_every_figure_has_a_value(content):
    for figure in content.figures:
        assert re.search(r"\d", figure.value), figure


def test_the_document_needs_nothing_from_elsewhere(content):
    document = html(content)
    elements = re.sub(r"<script>.*?</script>", "", document, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", elements) == []
    assert "url(" not in elements
    assert document.count("draw(") >= len(charts(content))


def test_what_a_chart_says_neither_ends_its_script_nor_hides_the_rest(contents):
    city = "<!--<script></script>"
    chart = (
        alt.Chart(alt.Data(values=[{"city": city}]))
        .mark_bar()
        .encode(x="city:N", tooltip=alt.Tooltip("city:N", title="City"))
    )
    document = html(replace(contents["products"], figures=(), blocks=(Panel("Cities", chart, "One city"),)))
    [script] = re.findall(r"<script>const draw.*?</script>", document, flags=re.DOTALL)
    assert script.count("<") == 2, "the element's own two tags"
    [drawn] = re.findall(r'draw\("#chart1", (.*)\);', script)
    assert json.dumps(city)[1:-1] in json.dumps(json.loads(drawn))


def test_what_a_cell_says_cannot_become_markup(contents):
    table = next(block for block in contents["products"].blocks if isinstance(block, Table))
    first = table.rows["category"][0]
    spoiled = table.rows.with_columns(category=table.rows["category"].replace(first, "<script>alert(1)</script>"))
    text = Table(table.title, spoiled, table.columns, table.note).html(lambda chart: "")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_every_query_is_on_a_page_and_every_page_asks_only_queries():
    asked = set()
    for name in PAGES:
        source = (NOTEBOOKS / f"{name}.py").read_text("utf-8")
        asked |= set(re.findall(r"_reader\.\w+\(\s*\"(\w+)\"", source))
        assert "SELECT" not in source
    assert asked == set(QUERIES)


def test_every_page_is_in_the_document():
    assert all(title in (PROJECT_DIR / "docs" / "dashboards.md").read_text("utf-8") for title in PAGES.values())


@pytest.mark.parametrize(
    ("attribute", "changed", "said"),
    [
        ("LEADS", {**LEADS, "payments": "How"}, r"payments has no notebook .*pages/payments.py; write it"),
        ("LEADS", {name: LEADS[name] for name in LEADS if name != "sales"}, r"sales is not in LEADS of .*page.py; put"),
        ("PAGES", {name: PAGES[name] for name in PAGES if name != "sales"}, r"sales is not in PAGES of .*page.py; put"),
    ],
)
def test_a_dashboard_that_is_listed_in_part_is_one_sentence(homes, monkeypatch, tmp_path, attribute, changed, said):
    monkeypatch.setenv("OLIST_HOME", str(homes / "old"))
    monkeypatch.setattr(page, attribute, changed)
    for shown in (lambda: export(tmp_path / "out"), lambda: application("127.0.0.1"), lambda: pages_of(None)):
        with pytest.raises(OlistError, match=said):
            shown()
    assert not (tmp_path / "out").exists()


def test_a_page_that_is_called_otherwise_than_its_notebook_and_a_notebook_without_one_are_one_sentence(
    contents, monkeypatch
):
    with pytest.raises(OlistError, match="There is no dashboard 'slaes'; call a Page like its notebook, one of "):
        replace(contents["sales"], name="slaes")
    empty = SimpleNamespace(app=SimpleNamespace(run=lambda: ((), {})), __file__="sales.py")
    monkeypatch.setattr(importlib, "import_module", lambda name: empty)
    with pytest.raises(OlistError, match=r"sales.py makes no `content`; let one of its cells return it"):
        content_of("sales")


NOTHING = {
    "executive": {"from_month": date(2018, 2, 1), "to_month": date(2018, 1, 1)},
    "sales": {"from_month": date(2018, 2, 1), "to_month": date(2018, 1, 1), "status": None},
    "customers": {"region": "nowhere", "rfm_segment": None},
    "products": {"category": "nothing"},
    "sellers": {"state": "XX", "min_orders": None},
    "delivery": {"from_month": date(2018, 2, 1), "to_month": date(2018, 1, 1), "state": "XX"},
    "migration": {"context": "none", "severity": None},
}


@pytest.mark.parametrize("name", PAGES)
def test_filters_that_leave_nothing_leave_a_page(homes, monkeypatch, name):
    monkeypatch.setenv("OLIST_HOME", str(homes / "old"))
    notebook = importlib.import_module(f"dashboards.pages.{name}")
    _, defined = notebook.app.run(defs={"filters": SimpleNamespace(value=NOTHING[name], elements={})})
    for chart in charts(defined["content"]):
        chart.to_dict(validate=True)
    assert name == "migration" or any(figure.value in ("0", formats.NONE) for figure in defined["content"].figures)
    document = html(defined["content"])
    assert name == "migration" or EMPTY in document


def test_a_part_of_no_known_kind_is_drawn_last():
    """Old is served as it is: no rule keeps from it what nobody foresaw."""
    frame = pl.DataFrame({"month": [date(2018, 1, 1)] * 2, "kind": ["pix", "Voucher"], "value": [1, 2]})
    fields = (Field("month", "Month"), Field("value", "Value", formats.COUNT), Field("kind", "Kind"))
    for draw in (series.stacked_by_month, charts_module.stacked_ranking):
        spec = specification(draw(frame, *fields, look.PAYMENT_COLOURS, axis_format=formats.COUNT))
        [rows] = spec["datasets"].values()
        assert [row["order_of_part"] for row in rows] == [4, 2]


def test_a_cell_of_a_table_without_a_value_is_a_dash():
    """Old is served as it is: a seller may have no state."""
    frame = pl.DataFrame({"id": [None], "state": [None], "city": ["Avaré"]}, schema_overrides={"id": pl.String})
    table = Table(
        "Sellers", frame, {"id": ("Seller", cells.short_id), "state": ("State", str), "city": ("City", str)}, "All"
    )
    text = table.html(lambda chart: "drawn")
    assert re.findall("<td>(.*?)</td>", text) == [formats.NONE, formats.NONE, "Avaré"]


def test_every_verdict_has_a_colour_of_its_own():
    words = {verdict.value.capitalize() for verdict in ParityVerdict}
    for colours in (look.VERDICTS, cells.VERDICTS):
        assert set(colours) == words
        assert len(set(colours.values())) == len(words)


def test_every_block_says_what_it_shows(content):
    assert [block.title for block in content.blocks if not block.note] == []


def test_a_chart_has_a_name_and_its_numbers_for_whoever_does_not_see_it(contents):
    panel = next(block for block in contents["executive"].blocks if block.title == "Cancellation rate")
    text = panel.html(lambda chart: "drawn")
    assert 'role="img" aria-label="Chart: Cancellation rate. Share of the orders placed in the month' in text
    shown = numbers(specification(panel.chart))
    assert shown.headings == ["Month", "Canceled", "Orders"]
    assert len(shown.rows) == shown.height > 0
    for row in shown.rows:
        assert all(cell in text for cell in row)
        assert re.fullmatch(r"[A-Z][a-z]{2} \d{4}", row[0])


def test_the_numbers_of_a_chart_are_all_that_it_draws(content):
    for chart in charts(content):
        spec = specification(chart)
        assert numbers(spec).height == sum(len(rows) for rows in spec["datasets"].values())


@pytest.mark.parametrize(("value", "is_empty"), [(None, True), (0.0, False), (0.5, False)])
def test_a_chart_without_a_value_is_a_sentence(value, is_empty):
    """A month of orders of which none is delivered yet: rows, and nothing to draw of them."""
    row = {"month": date(2018, 1, 1), "rate": value, "orders": 3}
    frame = pl.DataFrame([row], schema_overrides={"rate": pl.Float64})
    month, rate, orders = Field("month", "Month"), Field("rate", "Rate", ".1%"), Field("orders", "Orders", ",.0f")
    chart = series.lines(frame, month, rate, orders, axis_format=".1%")
    assert (EMPTY in Panel("Rate", chart, "Its note").html(lambda chart: "drawn")) is is_empty


def test_no_scale_hides_a_value():
    """A month of four orders lies beyond the axis: it is an arrow at the edge with its own value."""
    months = [date(2018, month, 1) for month in (1, 2, 3)]
    frame = pl.DataFrame({"month": months, "rate": [0.01, 0.02, 1.0], "orders": [1000, 1200, 4]})
    chart = series.lines(
        frame,
        Field("month", "Month"),
        Field("rate", "Rate", ".1%"),
        Field("orders", "Orders", ",.0f"),
        axis_format=".1%",
    )
    spec = specification(chart)
    assert "clamp" not in json.dumps(spec)
    [texts] = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    assert [row["rate"] for row in spec["datasets"][texts["data"]["name"]]] == [1.0]
    assert "100.0%" in {row[1] for row in numbers(spec).rows}


def test_a_cell_that_rests_on_hardly_any_has_no_colour():
    frame = pl.DataFrame({"x": [1, 2], "y": [1, 1], "rate": [0.03, 0.9], "people": [5000, 2]})
    chart = charts_module.heatmap(
        frame, Field("x", "X"), Field("y", "Y"), Field("rate", "Rate", ".1%"), weight="people"
    )
    spec = specification(chart)
    coloured, plain = spec["layer"]
    assert [row["rate"] for row in spec["datasets"][coloured["data"]["name"]]] == [0.03]
    assert [row["rate"] for row in spec["datasets"][plain["data"]["name"]]] == [0.9]
    assert "color" not in plain["encoding"]


def test_a_small_count_has_whole_ticks():
    assert look.number_axis(formats.COUNT).to_dict()["tickMinStep"] == 1
    assert "tickMinStep" not in look.number_axis(formats.PERCENT).to_dict()


@pytest.mark.parametrize("word", ["Slightly late: up to 7 days after", "more than 180 days", "1000 BRL spent or more"])
def test_a_threshold_is_defined_where_it_is_used(contents, word):
    pages = {"Slightly": "delivery"}.get(word.split()[0], "customers")
    assert word in html(contents[pages])


def test_without_a_release_a_notebook_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    outputs, defined = importlib.import_module("dashboards.pages.sales").app.run()
    assert "content" not in defined
    assert [output.text for output in outputs if "There is no release" in getattr(output, "text", "")]


def test_a_release_that_lacks_a_table_is_one_sentence_on_the_page(tmp_path, monkeypatch):
    make_release(tmp_path / "serving", 1, "1")
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    outputs, defined = importlib.import_module("dashboards.pages.migration").app.run()
    assert "content" not in defined
    assert [output.text for output in outputs if "Release 1 lacks" in getattr(output, "text", "")]
    with pytest.raises(OlistError, match=r"Release 1 lacks .* or it is of a warehouse of your own"):
        export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_a_release_nothing_is_exported(tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    with pytest.raises(OlistError, match="There is no release"):
        export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_of_another_warehouse_the_page_of_its_migration_is_listed_alone(releases):
    ours = next(iter(releases.values()))
    theirs = replace(ours, served_from=dict.fromkeys(("rides", "fleet"), "old"))
    assert pages_of(ours) == pages_of(None) == PAGES
    assert list(pages_of(theirs)) == ["migration"]
    assert index(str, theirs).count("<a ") == 1
