"""The figures of the pages beside the same questions to the landing files, which no tree of ours has touched."""

import duckdb
import pytest

from dashboards import formats
from dashboards.export import content_of

LOST = "('canceled', 'unavailable')"


@pytest.fixture(scope="module")
def raw(finished):
    """A connection that knows the nine files by their names, all cells as text."""
    with duckdb.connect() as connection:
        for path in sorted(finished.world.landing.glob("*.csv")):
            name = path.stem.removeprefix("olist_").removesuffix("_dataset")
            connection.execute(
                f"CREATE VIEW {name} AS FROM read_csv('{path}', all_varchar = true, quote = '\"', escape = '\"', "
                "delim = ',', header = true)"
            )
        yield connection


@pytest.fixture(scope="module")
def shown(homes):
    """The figures of every page by name, over a release of the old tree, which keeps every row of the files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(homes / "old"))
        pages = {name: content_of(name) for name in ("executive", "sales", "products", "sellers", "delivery")}
    return {
        name: {figure.label: (figure.value, figure.note) for figure in page.figures} for name, page in pages.items()
    }


def number(raw, sql):
    [value] = raw.execute(sql).fetchone()
    return value


def test_orders_are_the_files_on_every_page(raw, shown):
    orders = formats.count(number(raw, "SELECT count(*) FROM orders"))
    assert shown["executive"]["Orders"][0] == orders
    assert shown["sales"]["Orders"][0] == orders
    # An order that is there twice is joined with itself by the old SQL, once each way.
    joined = formats.count(number(raw, "SELECT count(*) FROM orders JOIN orders AS again USING (order_id)"))
    assert shown["delivery"]["With a delivery date"][1].startswith(f"Of {joined} orders")


def test_revenue_is_one_figure_and_that_of_the_files(raw, shown):
    revenue = number(
        raw,
        "SELECT sum(price::DECIMAL(18, 2) + freight_value::DECIMAL(18, 2)) FROM order_items"
        f" JOIN orders USING (order_id) WHERE order_status NOT IN {LOST}",
    )
    said = {page: shown[page]["Revenue"][0] for page in ("executive", "sales", "products", "sellers")}
    assert set(said.values()) == {formats.money_short(float(revenue))}, said


def test_the_two_kinds_of_delivered_are_named_and_those_of_the_files(raw, shown):
    with_date = number(raw, "SELECT count(*) FROM orders WHERE coalesce(order_delivered_customer_date, '') <> ''")
    by_status = number(raw, "SELECT count(*) FROM orders WHERE order_status = 'delivered'")
    value, note = shown["delivery"]["With a delivery date"]
    assert value == formats.count(with_date)
    assert f"with the status delivered: {formats.count(by_status)}" in note


def test_shares_are_those_of_the_files(raw, shown):
    canceled = number(raw, "SELECT count(*) FILTER (order_status = 'canceled') / count(*) FROM orders")
    assert shown["executive"]["Cancellation rate"][0] == formats.percent(canceled)
    late = """
        SELECT count(*) FILTER (order_delivered_customer_date::DATE <= order_estimated_delivery_date::DATE) / count(*)
        FROM orders WHERE coalesce(order_delivered_customer_date, '') <> ''
    """
    assert shown["delivery"]["On time"][0] == formats.percent(number(raw, late))
