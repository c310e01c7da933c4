"""Copies are found however they are written; near copies are told apart from them."""

from collections import defaultdict

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.audit import duplicates
from olist_pipeline.audit.duplicates import are_near, groups_of_copies, pivots_that_differ
from olist_pipeline.audit.findings import Place, audit_sql


def findings(*queries, dialect="duckdb"):
    return [
        finding
        for number, sql in enumerate(queries)
        for finding in audit_sql(sql, Place(f"{number}.sql", f"model_{number}", dialect)).findings
    ]


def copies(*queries):
    """Return whether each group is exact, with the files that it stands in."""
    return [(group.exact, [f.file for f in group.findings]) for group in groups_of_copies(findings(*queries))]


SEGMENT = "case when orders > 10 then 'VIP' when orders > 5 then 'LOYAL' else 'NEW' end as segment"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"select {SEGMENT} from t", f"SELECT\n  {SEGMENT} FROM other AS o"),
        ("select c.a > 10 as is_big from t c", "select 10 < d.a as is_large from t d"),
        ("select status in ('x', 'y') as gone from t", "select status = 'y' or status = 'x' as gone from t"),
        ("select a >= 1 and a <= 5 as ok from t", "select a between 1 and 5 as ok from t"),
        ("select not (a > 3) as f from t", "select a <= 3 as f from t"),
        ("select case when a > 3 then true else false end as f from t", "select a > 3 as f from t"),
        ("select case when a > 3 then false else true end as f from t", "select a <= 3 as f from t"),
        (
            "select sum(case when a > 3 then 1 else 0 end) as f from t",
            "select count(*) filter (where a > 3) as f from t",
        ),
        ("select count(distinct case when a > 3 then id end) as f from t", "select a > 3 as f from t"),
        (
            "select case when s = 1 then 'one' when s = 2 then 'two' end as n from t",
            "select case s when 2 then 'two' when 1 then 'one' end as n from t",
        ),
        (
            "select case when s >= 4 then 'good' when s <= 2 then 'bad' when s = 3 then 'so' end as n from t",
            "select case when s = 3 then 'so' when s <= 2 then 'bad' when s >= 4 then 'good' end as n from t",
        ),
        (
            "select date_diff('day', a, b) > 7 as late from t",
            "with d as (select *, date_diff('day', a, b) as days from t) select x.days > 7 as is_late from d x",
        ),
        ("select n > 9 as f from (select orders as n from t)", "select orders > 9 as f from t"),
        (
            "select case when state in ('SP', 'RJ') then 'South' when state = 'AM' then 'North' end as region from t",
            "select case when u.uf in ('RJ', 'SP') then 'South' when u.uf = 'AM' then 'North' end as region from u",
        ),
        ("select cast(price as double) * 1.23 as g from t", "select 1.23 * price as gross from t"),
    ],
)
def test_the_same_logic_is_one_group(one, other):
    assert copies(one, other) == [(True, ["0.sql", "1.sql"])]


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        (f"select {SEGMENT} from t", f"select {SEGMENT.replace('10', '5', 1)} from t", "10 -> 5"),
        ("select abs(a - b) > 0.01 as mismatch from t", "select abs(a - b) > 1 as mismatch from t", "0.01 -> 1"),
        (
            f"select {SEGMENT} from t",
            f"select {SEGMENT.replace('else', 'when orders = 1 then ' + repr('ONE') + ' else')} from t",
            "with 1, 'ONE'",
        ),
        ("select days > 180 as is_churned from t", "select days > 90 as churned from t", "180 -> 90"),
        ("select sum(case when s in ('a', 'b') then 0 else v end) as revenue from t",
         "select sum(case when s in ('a') then 0 else v end) as revenue from t", "without 'b'"),
    ],
)  # fmt: skip
def test_other_thresholds_or_branches_are_near_copies(one, other, difference):
    [group] = groups_of_copies(findings(one, other))
    assert not group.exact
    assert group.differences == (difference,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select days > 0 as is_late from t", "select days > 7 as is_very_late from t"),
        ("select status = 'delivered' as is_delivered from t", "select status = 'canceled' as is_canceled from t"),
        ("select score >= 4 as is_positive from t", "select score <= 2 as is_negative from t"),
        ("select try_cast(a as int) as a from t", "select try_cast(a as int) as a from u"),
        (f"select {SEGMENT} from t", "select case when age > 60 then 'OLD' else 'YOUNG' end as segment from t"),
        ("select case when s > 4 then 'a' when s > 2 then 'b' else 'c' end as n from t",
         "select case when z = 2 then 'q' when z = 1 then 'r' end as m from t"),
    ],
)  # fmt: skip
def test_other_logic_is_no_copy(one, other):
    assert copies(one, other) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # One name with two definitions: one counts those that came on the very day.
        ("select sum(case when delivered_at = estimated_at then 1 else 0 end) as on_time from t",
         "select sum(case when delivered_date <= estimated_date then 1 else 0 end) as on_time from t"),
        ("select case when total > 1000 then 'HIGH' when total > 500 then 'MEDIUM' end as value_class from t",
         "select case when total > 1000 then 'Gold' when total > 500 then 'Silver' end as tier from t"),
        ("select case when revenue >= 100 then 'Top' else 'Rest' end as rank_group from t",
         "select case when revenue >= 50 then 'Top' else 'Rest' end as rank_group from t"),
        ("select order_status = 'delivered' as is_delivered from t",
         "select delivered_on is not null as is_delivered from t"),
    ],
)  # fmt: skip
def test_one_name_or_one_set_of_limits_with_two_definitions_is_near(one, other):
    assert copies(one, other) == [(False, ["0.sql", "1.sql"])]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select sum(case when day = '2024-01-01' then amount end) as amount from t",
         "select sum(amount) over (partition by shop order by day) as amount from t"),
        ("select case when version = 1 then try_cast(a as int) else try_cast(b as int) end as n from t",
         "select case when version > 3 then 'x' else 'y' end as n from t"),
        ("select status = 'A' as is_active from customers", "select ends_on > starts_on as is_active from contracts"),
    ],
)  # fmt: skip
def test_what_only_shares_a_name_is_not_near(one, other):
    assert copies(one, other) == []


def test_a_pivot_whose_name_is_defined_otherwise_elsewhere_is_one_of_two_definitions():
    pivot = "select count(case when state = 'delivered' then 1 end) as delivered_orders from t"
    other = "select count(case when delivered_on is not null then 1 end) as delivered_orders from t"
    audited = audit_sql(pivot, Place("p.sql", "p", "duckdb"))
    assert (audited.findings, len(audited.pivots)) == ((), 1)
    found = findings(other)
    [differing] = pivots_that_differ(found, audited.pivots)
    assert [group.exact for group in groups_of_copies([*found, differing])] == [False]
    assert pivots_that_differ(findings("select 1 + x * 3 as other from t"), audited.pivots) == []


def test_branches_that_overlap_keep_their_order():
    one = "select case when s > 2 then 'a' when s > 4 then 'b' end as n from t"
    other = "select case when s > 4 then 'b' when s > 2 then 'a' end as n from t"
    first, second = (finding.shape.normal for finding in findings(one, other))
    assert first != second


def test_three_places_are_one_group_and_a_fourth_is_near():
    one = f"select {SEGMENT} from t"
    assert copies(one, one, one, one.replace("10", "7")) == [
        (False, ["0.sql", "3.sql"]),
        (True, ["0.sql", "1.sql", "2.sql"]),
    ]


def conditions(names, numbers):
    """Return comparisons of columns with numbers, and conditions made of them."""
    signs = st.sampled_from(["<", "<=", ">", ">=", "=", "<>"])
    parts = st.tuples(st.sampled_from(names), signs, numbers)
    comparisons = parts.map(lambda part: " ".join(map(str, part)))
    joined = st.sampled_from(["({} and {})", "({} or {})", "(not {})"])
    return comparisons, st.recursive(
        comparisons, lambda inner: st.builds(lambda form, x, y: form.format(x, y), joined, inner, inner), max_leaves=4
    )


COMPARISONS, CONDITIONS = conditions(["a", "b", "c"], st.integers(-3, 3))
_, CLOSE_CONDITIONS = conditions(["a"], st.integers(0, 1))
"""Conditions over so little that many are written in one form."""

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


@given(left=CONDITIONS, right=COMPARISONS)
def test_the_normal_form_does_not_depend_on_how_a_condition_is_written(left, right):
    name, sign, number = right.split()
    one = f"select case when {left} and {right} then 'x' else 'y' end as n from t"
    other = f"select case when ({number} {FLIPPED[sign]} u.{name}) and ({left}) then 'x' else 'y' end as m from t as u"
    first, second = (finding.shape.normal for finding in findings(one, other))
    assert first == second


@given(written=st.lists(CLOSE_CONDITIONS, min_size=6, max_size=6))
def test_one_normal_form_means_one_condition(written):
    """Conditions with one normal form agree on every row without nulls."""
    by_form = defaultdict(list)
    for condition in written:
        [finding] = findings(f"select {condition} as is_it from t")
        by_form[finding.shape.normal].append(condition)
    for first, *others in by_form.values():
        for other in others:
            query = f"select count(*) from range(-2, 4) as t(a) where ({first}) <> ({other})"
            assert duckdb.execute(query).fetchall() == [(0,)], (first, other)


def test_what_hangs_together_is_compared_once_however_many_share_a_label(monkeypatch):
    compared = []

    def counted(one, other):
        compared.append(1)
        return are_near(one, other)

    monkeypatch.setattr(duplicates, "are_near", counted)
    rows = 100
    found = findings(*(f"select case when a > {n} then 'x' else 'y' end as c from t" for n in range(2, rows + 2)))
    [group] = groups_of_copies(found)
    assert len(group.findings) == rows
    assert len(compared) == rows - 1
