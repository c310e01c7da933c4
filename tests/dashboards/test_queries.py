"""Every query of the dashboards: what it reads, and the same figures from old and new where parity says so."""

import math
import re
from itertools import pairwise

import pytest
import sqlglot
from sqlglot import exp

from dashboards.queries import QUERIES
from dashboards.queries.query import Query
from tests.dashboards.world import verdicts_by_table
from tests.tables import IDENTICAL, TABLES

NAMES = sorted(QUERIES)
ROUTES = "migration_routes"
OF_MIGRATION = (
    *("routes", "parity", "reconciliation", "quarantine", "quarantine_share", "rules", "definitions"),
    *("criteria", "timeline", "speed", "runs"),
)
ABOUT = {f"about.migration_{name}" for name in OF_MIGRATION}


def tree_of(query: Query) -> exp.Expr:
    return sqlglot.parse_one(query.sql, read="duckdb")


class TestText:
    @pytest.mark.parametrize("name", NAMES)
    def test_names_exactly_the_tables_that_it_reads(self, name):
        tree = tree_of(QUERIES[name])
        made_here = {cte.alias for cte in tree.find_all(exp.CTE)}
        read = {".".join(filter(None, (table.db, table.name))) for table in tree.find_all(exp.Table)} - made_here
        assert read == QUERIES[name].tables
        assert read <= TABLES | ABOUT

    @pytest.mark.parametrize("name", NAMES)
    def test_has_a_default_for_exactly_its_parameters(self, name):
        parameters = set(re.findall(r"\$([a-z_]+)", QUERIES[name].sql))
        assert parameters == set(QUERIES[name].defaults)

    @pytest.mark.parametrize("name", NAMES)
    def test_decides_nothing_about_the_business(self, name):
        """A CASE, or a comparison with a number other than 0, is where thresholds hide."""
        tree = tree_of(QUERIES[name])
        assert not list(tree.find_all(exp.Case, exp.If))
        comparisons = tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
        numbers = {literal.name for found in comparisons for literal in found.find_all(exp.Literal)}
        assert numbers <= {"0"}

    @pytest.mark.parametrize("name", NAMES)
    def test_orders_its_rows_or_has_one(self, name):
        tree = tree_of(QUERIES[name])
        is_one_row = not tree.args.get("group") and not tree.find(exp.Distinct) and "totals" in name
        assert tree.args.get("order") or is_one_row or len(QUERIES[name].tables) == 1
        assert QUERIES[name].title


def figures(releases, tree, name, **chosen):
    with releases[tree].reading() as reader:
        return reader.ask(name, **chosen)


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
    def test_a_day_without_orders_has_a_row_and_counts_in_the_mean(self, releases):
        days = figures(releases, "new", "sales_by_day").to_dicts()
        assert sum(day["orders"] for day in days) == figures(releases, "new", "sales_totals")["orders"].item()
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

    def test_each_release_tells_its_own_routes(self, releases):
        served = {tree: set(figures(releases, tree, ROUTES)["route"]) for tree in ("old", "new", "replay")}
        assert served == {"old": {"old"}, "new": {"new"}, "replay": {"old"}}

    @pytest.mark.parametrize("name", [name for name in NAMES if name != ROUTES])
    def test_new_gives_the_figures_of_old_or_of_its_replay(self, releases, name):
        old, new, replay = (figures(releases, tree, name) for tree in ("old", "new", "replay"))
        assert same_figures(new, replay), "what new changes, quarantine explains"
        if QUERIES[name].tables <= IDENTICAL | ABOUT:
            assert same_figures(new, old), "all that it reads is identical"
        assert old.height

    def test_quarantine_is_seen_where_it_is(self, releases):
        """The comparison can fail: an order without items is served by old and not by new."""
        old, new = (figures(releases, tree, "sales_totals") for tree in ("old", "new"))
        assert not same_figures(old, new)
        assert old["orders"].item() > new["orders"].item() > 0


def test_same_figures_can_tell(releases):
    answer = figures(releases, "old", "executive_by_month")
    assert same_figures(answer, answer)
    assert not same_figures(answer, answer.with_columns(answer["revenue"] + 0.01))
    assert not same_figures(answer, answer.head(3))


class TestFilters:
    @pytest.mark.parametrize("name", [name for name in NAMES if "from_month" in QUERIES[name].defaults])
    def test_a_period_of_all_months_changes_nothing_and_none_leaves_nothing(self, releases, name):
        months = figures(releases, "old", "executive_months")["order_month"]
        everything = figures(releases, "old", name)
        if QUERIES[name].tables <= {"mart_executive_dashboard", "mart_delivery_metrics"}:
            assert same_figures(everything, figures(releases, "old", name, from_month=months[0], to_month=months[-1]))
        nothing = figures(releases, "old", name, from_month=months[-1], to_month=months[0])
        assert nothing.height == 0 or "totals" in name or "average" in name

    def test_parts_add_up_to_the_whole(self, releases):
        whole = figures(releases, "old", "sales_totals")["orders"].item()
        statuses = figures(releases, "old", "sales_statuses")["order_status"]
        parts = [figures(releases, "old", "sales_totals", status=status)["orders"].item() for status in statuses]
        assert sum(parts) == whole
        regions = figures(releases, "old", "customer_regions")["region"]
        people = [figures(releases, "old", "customer_totals", region=region)["customers"].item() for region in regions]
        assert sum(people) == figures(releases, "old", "customer_totals")["customers"].item()

    def test_every_filter_narrows(self, releases):
        for name, parameter, value in (
            ("product_totals", "category", figures(releases, "old", "product_categories")["category"][0]),
            ("seller_totals", "state", figures(releases, "old", "seller_states")["state"][0]),
            ("seller_totals", "min_orders", 5),
            ("delivery_totals", "state", figures(releases, "old", "delivery_states")["state"][0]),
            ("customer_totals", "rfm_segment", figures(releases, "old", "customer_rfm_segments")["rfm_segment"][0]),
        ):
            part, whole = figures(releases, "old", name, **{parameter: value}), figures(releases, "old", name)
            assert 0 < part.row(0)[0] < whole.row(0)[0], name
        assert set(figures(releases, "old", "migration_rules", severity="flag")["severity"]) == {"flag"}
