"""Every query of the dashboards: what it reads, and the same figures from old and new where parity says so."""

import math
import re
from collections import Counter
from contextlib import ExitStack
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules

import pytest
import sqlglot
from sqlglot import exp

from dashboards import queries
from dashboards.queries import QUERIES
from tests.dashboards.world import verdicts_by_table
from tests.tables import IDENTICAL, TABLES

ROUTES = "migration_routes"
OF_MIGRATION = (
    *("routes", "parity", "reconciliation", "quarantine", "quarantine_share", "rules", "definitions"),
    *("criteria", "timeline", "speed", "runs"),
)
ABOUT = {f"about.migration_{name}" for name in OF_MIGRATION}


@pytest.fixture(scope="module")
def trees() -> dict[str, exp.Expr]:
    """Each query, parsed."""
    return {name: sqlglot.parse_one(query.sql, read="duckdb") for name, query in QUERIES.items()}


class TestText:
    def test_every_query_of_every_module_is_among_them_once(self):
        """A page's module may be forgotten, and the later of two of one name would answer both."""
        modules = [import_module(f"dashboards.queries.{found.name}") for found in iter_modules(queries.__path__)]
        named = [vars(module).get(module.__name__.rpartition(".")[2].upper(), {}) for module in modules]
        assert Counter(name for one in named for name in one) == Counter(QUERIES.keys())

    def test_a_query_names_exactly_the_tables_that_it_reads(self, trees):
        for name, tree in trees.items():
            made_here = {cte.alias for cte in tree.find_all(exp.CTE)}
            read = {".".join(filter(None, (table.db, table.name))) for table in tree.find_all(exp.Table)} - made_here
            assert read == QUERIES[name].tables, name
            assert read <= TABLES | ABOUT, name

    def test_a_query_has_a_default_for_exactly_its_parameters(self):
        for name, query in QUERIES.items():
            assert set(re.findall(r"\$([a-z_]+)", query.sql)) == set(query.defaults), name

    def test_no_query_decides_anything_about_the_business(self, trees):
        """A CASE, or a comparison with a number other than 0, is where thresholds hide."""
        for name, tree in trees.items():
            assert not list(tree.find_all(exp.Case, exp.If)), name
            comparisons = tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
            numbers = {literal.name for found in comparisons for literal in found.find_all(exp.Literal)}
            assert numbers <= {"0"}, name

    def test_a_query_orders_its_rows_or_has_one(self, trees):
        for name, tree in trees.items():
            is_one_row = not tree.args.get("group") and not tree.find(exp.Distinct) and "totals" in name
            assert tree.args.get("order") or is_one_row or len(QUERIES[name].tables) == 1, name
            assert QUERIES[name].title, name


@pytest.fixture(scope="module")
def readers(releases):
    """The release of each tree, open."""
    with ExitStack() as opened:
        yield {tree: opened.enter_context(release.reading()) for tree, release in releases.items()}


def figures(readers, tree, name, **chosen):
    return readers[tree].ask(name, **chosen)


def same_figures(one, other) -> bool:
    """Return whether two answers are the same row for row, doubles within the tolerance of parity."""
    if one.columns != other.columns or one.height != other.height:
        return False
    rows = zip(one.rows(), other.rows(), strict=True)
    return all(same_value(a, b) for left, right in rows for a, b in zip(left, right, strict=True))


def same_value(one, other) -> bool:
    is_double = isinstance(one, float) and isinstance(other, float)
    return one == other or (is_double and math.isclose(one, other, rel_tol=1e-9))


class TestFigures:
    def test_a_day_without_orders_has_a_row_and_counts_in_the_mean(self, readers):
        days = figures(readers, "new", "sales_by_day").to_dicts()
        assert sum(day["orders"] for day in days) == figures(readers, "new", "sales_totals")["orders"].item()
        assert {(day["full_date"] - before["full_date"]).days for before, day in pairwise(days)} == {1}
        assert min(day["orders"] for day in days) == 0
        four_weeks = days[300:328]
        revenue = sum(float(day["revenue"]) for day in four_weeks)
        assert revenue > 0
        assert math.isclose(four_weeks[-1]["revenue_rolling"], revenue / 28, rel_tol=1e-9)

    def test_the_trees_are_those_of_the_project(self, homes):
        """Else the comparisons below would hold for the wrong reason."""
        verdicts = verdicts_by_table(homes / "old" / "serving" / "current" / "serving.duckdb")
        assert {table for table, verdict in verdicts.items() if verdict == "identical"} == IDENTICAL
        assert {table for table, verdict in verdicts.items() if verdict == "explained"} == TABLES - IDENTICAL

    def test_each_release_tells_its_own_routes(self, readers):
        served = {tree: set(figures(readers, tree, ROUTES)["route"]) for tree in ("old", "new", "replay")}
        assert served == {"old": {"old"}, "new": {"new"}, "replay": {"old"}}

    def test_new_gives_the_figures_of_old_or_of_its_replay(self, readers):
        for name in QUERIES.keys() - {ROUTES}:
            old, new, replay = (figures(readers, tree, name) for tree in ("old", "new", "replay"))
            assert same_figures(new, replay), f"{name}: what new changes, quarantine explains"
            if QUERIES[name].tables <= IDENTICAL | ABOUT:
                assert same_figures(new, old), f"{name}: all that it reads is identical"
            assert old.height, name

    def test_quarantine_is_seen_where_it_is(self, readers):
        """The comparison can fail: an order without items is served by old and not by new."""
        old, new = (figures(readers, tree, "sales_totals") for tree in ("old", "new"))
        assert not same_figures(old, new)
        assert old["orders"].item() > new["orders"].item() > 0


def test_same_figures_can_tell(readers):
    answer = figures(readers, "old", "executive_by_month")
    assert same_figures(answer, answer)
    assert not same_figures(answer, answer.with_columns(answer["revenue"] + 0.01))
    assert not same_figures(answer, answer.head(3))


class TestFilters:
    def test_a_period_of_all_months_changes_nothing_and_none_leaves_nothing(self, readers):
        months = figures(readers, "old", "executive_months")["order_month"]
        whole = {"from_month": months[0], "to_month": months[-1]}
        none = {"from_month": months[-1], "to_month": months[0]}
        for name in (name for name, query in QUERIES.items() if "from_month" in query.defaults):
            everything = figures(readers, "old", name)
            if QUERIES[name].tables <= {"mart_executive_dashboard", "mart_delivery_metrics"}:
                assert same_figures(everything, figures(readers, "old", name, **whole)), name
            nothing = figures(readers, "old", name, **none)
            assert nothing.height == 0 or "totals" in name or "average" in name, name

    def test_parts_add_up_to_the_whole(self, readers):
        whole = figures(readers, "old", "sales_totals")["orders"].item()
        statuses = figures(readers, "old", "sales_statuses")["order_status"]
        parts = [figures(readers, "old", "sales_totals", status=status)["orders"].item() for status in statuses]
        assert sum(parts) == whole
        regions = figures(readers, "old", "customer_regions")["region"]
        people = [figures(readers, "old", "customer_totals", region=region)["customers"].item() for region in regions]
        assert sum(people) == figures(readers, "old", "customer_totals")["customers"].item()

    def test_every_filter_narrows(self, readers):
        for name, parameter, value in (
            ("product_totals", "category", figures(readers, "old", "product_categories")["category"][0]),
            ("seller_totals", "state", figures(readers, "old", "seller_states")["state"][0]),
            ("seller_totals", "min_orders", 5),
            ("delivery_totals", "state", figures(readers, "old", "delivery_states")["state"][0]),
            ("customer_totals", "rfm_segment", figures(readers, "old", "customer_rfm_segments")["rfm_segment"][0]),
        ):
            part, whole = figures(readers, "old", name, **{parameter: value}), figures(readers, "old", name)
            assert 0 < part.row(0)[0] < whole.row(0)[0], name
        assert set(figures(readers, "old", "migration_rules", severity="flag")["severity"]) == {"flag"}
