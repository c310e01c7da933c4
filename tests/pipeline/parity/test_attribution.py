"""Attribution: verdicts with what changes by rule, with approvals, over some months, and as a page for a browser."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from olist_pipeline.months import MonthRange
from olist_pipeline.parity.attribution import (
    Evidence,
    ParityVerdict,
    parities_of,
    parity_of,
    parity_subject,
)
from olist_pipeline.parity.causes import SCHEMA
from olist_pipeline.parity.html import html_report
from olist_pipeline.parity.stored import complete_report
from olist_pipeline.stores.approvals import Approval
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import WarehouseTable

TODAY = date(2026, 3, 10)
ORDERS = WarehouseTable(
    "fact_orders", "sales", ("order_id",), {}, {}, is_monthly=True, measures=("items", "revenue", "unknown")
)
CAUSES = pl.DataFrame(
    [("order_id", "o1", "NO_ITEMS"), ("order_id", "o2", "NO_ITEMS + UNPAID"), ("seller_id", "o3", "OTHER")],
    schema=SCHEMA,
    orient="row",
)


@pytest.fixture
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        for schema in ("old", "replay", "new"):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(
                f"CREATE TABLE {schema}.fact_orders AS SELECT 'o' || n AS order_id, n AS items,"
                " CAST(n * 10 + 0.25 AS DECIMAL(18,2)) AS revenue, n AS rank,"
                " CAST(make_date(2018, 1 + CAST(n // 4 AS INTEGER), 1) AS DATE) AS order_month FROM range(8) AS r(n)"
            )
        yield connection


def in_new_and_replay(con, statement):
    for schema in ("replay", "new"):
        con.execute(statement.format(t=f"{schema}.fact_orders"))


def verdict_on(con, *, quarantine=None, causes=CAUSES, approvals=(), months=None, table=ORDERS):
    evidence = Evidence({"NO_ITEMS": 2} if quarantine is None else quarantine, causes, approvals)
    return parity_of(con, table, evidence, months)


def approval(column="revenue", table="fact_orders"):
    end = TODAY + timedelta(days=1)
    return Approval(7, table, column, "rounded once", end, "ana", datetime(2026, 3, 1))


class TestEffects:
    def test_rows_and_sums_are_given_by_rule(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id IN ('o1', 'o2')")
        in_new_and_replay(con, "UPDATE {t} SET rank = rank - 2, items = items + 1 WHERE order_id = 'o3'")
        effects = verdict_on(con).effects
        assert effects.link == "order_id"
        assert {(e.rules, e.gone, e.come, e.changed) for e in effects.by_rule} == {
            ("NO_ITEMS", 1, 0, 0),
            ("NO_ITEMS + UNPAID", 1, 0, 0),
            ("", 0, 0, 1),
        }
        moved = {e.rules: dict(e.moved) for e in effects.by_rule}
        assert moved["NO_ITEMS + UNPAID"] == {"items": -2, "revenue": Decimal("-20.25")}
        assert moved[""] == {"items": 1, "revenue": 0}
        assert effects.totals == {"items": (28, 26), "revenue": (Decimal("282.00"), Decimal("251.50"))}

    def test_a_key_is_traced_however_its_table_and_its_pair_spell_it(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id = 'o1'")
        for schema in ("old", "replay", "new"):
            con.execute(f"ALTER TABLE {schema}.fact_orders RENAME order_id TO ORDER_ID")
        for key in ("order_id", "Order_Id"):
            effects = verdict_on(con, table=replace(ORDERS, key=(key,))).effects
            assert [(effect.rules, effect.gone) for effect in effects.by_rule] == [("NO_ITEMS", 1)]

    def test_a_measure_without_a_sum_is_said_in_words_that_json_has(self, con):
        con.execute("ALTER TABLE old.fact_orders ALTER rank TYPE DOUBLE; UPDATE old.fact_orders SET rank = 'nan'")
        effects = verdict_on(con, table=replace(ORDERS, measures=("rank",))).effects
        assert json.loads(json.dumps(effects.to_dict(), allow_nan=False))["totals"] == {"rank": ["nan", 28]}

    def test_what_rules_moved_adds_up_to_what_the_totals_moved(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id IN ('o1', 'o5', 'o7')")
        in_new_and_replay(con, "UPDATE {t} SET revenue = revenue * 2, items = NULL WHERE order_id = 'o4'")
        in_new_and_replay(con, "INSERT INTO {t} SELECT 'o99', 3, 7.00, 1, DATE '2018-01-01'")
        effects = verdict_on(con).effects
        for name, (old, new) in effects.totals.items():
            assert sum(effect.moved[name] for effect in effects.by_rule) == new - old

    def test_a_sentence_names_the_most_frequent_rules_and_the_report_all(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id = 'o1'")
        totals = {f"RULE_{n}": 20 - n for n in range(10)}
        found = verdict_on(con, quarantine=totals)
        assert "(RULE_0 20, RULE_1 19" in found.sentence()
        assert "RULE_7 13 and 2 rules more)" in found.sentence()
        assert found.to_dict()["quarantined_by_rule"] == totals

    def test_rows_in_other_types_are_a_cast_that_the_new_sql_lacks(self, con):
        con.execute("ALTER TABLE new.fact_orders ALTER items TYPE INTEGER")
        con.execute("ALTER TABLE new.fact_orders ALTER order_month TYPE TIMESTAMP")
        found = verdict_on(con).sentence()
        assert "let the new SQL say cast(items as BIGINT), cast(order_month as DATE)." in found
        con.execute("ALTER TABLE new.fact_orders RENAME rank TO Rank")
        assert "cast(items as BIGINT), Rank as rank, cast(order_month as DATE)." in verdict_on(con).sentence()
        con.execute("UPDATE new.fact_orders SET items = 99 WHERE order_id = 'o1'")
        assert "cast(" not in verdict_on(con).sentence()

    def test_a_command_that_a_sentence_names_can_be_given_to_a_shell(self, con):
        for schema in ("old", "replay", "new"):
            con.execute(f'ALTER TABLE {schema}.fact_orders RENAME TO "Totals (all)"')
        con.execute("""UPDATE new."Totals (all)" SET items = 99 WHERE order_id = 'o1'""")
        assert "`olist parity 'Totals (all)'`" in verdict_on(con, table=replace(ORDERS, name="Totals (all)")).sentence()

    def test_the_sentences_name_rules_rows_and_sums(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id = 'o1'")
        said = verdict_on(con).sentences()
        assert "NO_ITEMS: rows 1 gone; items -1, revenue -10.25." in said
        assert "Dashboards will see: items 28 -> 27 (-1); revenue 282.00 -> 271.75 (-10.25)." in said

    def test_a_table_whose_rows_bear_no_id_has_totals_alone(self, con):
        by_month = replace(ORDERS, key=("order_month", "rank"))
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id = 'o1'")
        effects = verdict_on(con, table=by_month).effects
        assert (effects.link, effects.by_rule) == (None, ())
        assert effects.totals["items"] == (28, 27)

    def test_identical_tables_have_none(self, con):
        assert verdict_on(con).effects is None

    def test_a_measure_that_one_side_lost_is_left_to_the_schema(self, con):
        con.execute("DELETE FROM new.fact_orders WHERE order_id = 'o4'")
        con.execute("ALTER TABLE new.fact_orders DROP items")
        parity = verdict_on(con)
        assert parity.verdict is ParityVerdict.DIFFERS
        assert "items" not in parity.effects.totals


class TestApprovals:
    def test_an_approved_column_may_differ_and_is_reported(self, con):
        con.execute("UPDATE new.fact_orders SET revenue = revenue + 0.01 WHERE order_id = 'o4'")
        assert verdict_on(con).verdict is ParityVerdict.DIFFERS
        parity = verdict_on(con, approvals=[approval()])
        assert (parity.verdict, parity.is_green) == (ParityVerdict.APPROVED, True)
        said = " ".join(parity.sentences())
        for word in ("only in approved columns (revenue)", "rounded once", "ana", "2026-03-11", "o4"):
            assert word in said

    @pytest.mark.parametrize("given", [approval("items"), approval(table="fact_payments")])
    def test_another_column_or_table_is_not_covered(self, con, given):
        con.execute("UPDATE new.fact_orders SET revenue = revenue + 0.01 WHERE order_id = 'o4'")
        assert verdict_on(con, approvals=[given]).verdict is ParityVerdict.DIFFERS

    @pytest.mark.parametrize(
        "defect",
        [
            "DELETE FROM new.fact_orders WHERE order_id = 'o4'",
            "INSERT INTO new.fact_orders SELECT * FROM old.fact_orders WHERE order_id = 'o4'",
            "UPDATE new.fact_orders SET order_id = NULL WHERE order_id = 'o4'",
            "ALTER TABLE new.fact_orders ALTER revenue TYPE DOUBLE",
            "UPDATE new.fact_orders SET items = 0, revenue = 0 WHERE order_id = 'o4'",
        ],
    )
    def test_rows_keys_types_and_other_columns_cannot_be_approved(self, con, defect):
        con.execute(defect)
        assert verdict_on(con, approvals=[approval()]).verdict is ParityVerdict.DIFFERS

    def test_an_approval_that_is_not_needed_is_still_shown(self, con):
        parity = verdict_on(con, approvals=[approval()])
        assert parity.verdict is ParityVerdict.IDENTICAL
        assert "rounded once" in " ".join(parity.sentences())
        assert parity.to_dict()["approvals"][0]["until"] == "2026-03-11"


class TestMonths:
    FEBRUARY = MonthRange(date(2018, 2, 1), date(2018, 2, 1))

    def test_only_the_months_asked_for_are_compared(self, con):
        con.execute("UPDATE new.fact_orders SET items = 0 WHERE order_id = 'o1'")
        parity = verdict_on(con, months=self.FEBRUARY)
        assert (parity.verdict, parity.direct.rows_old) == (ParityVerdict.IDENTICAL, 4)
        assert "(2018-02)" in parity.sentences()[0]
        assert verdict_on(con).verdict is ParityVerdict.DIFFERS

    def test_a_defect_of_the_month_is_found(self, con):
        con.execute("UPDATE new.fact_orders SET items = 0 WHERE order_id = 'o5'")
        assert verdict_on(con, months=self.FEBRUARY).verdict is ParityVerdict.DIFFERS

    def test_the_subject_is_that_of_the_months(self, con):
        before = parity_subject(con, ORDERS, self.FEBRUARY)
        con.execute("UPDATE new.fact_orders SET items = 0 WHERE order_id = 'o1'")
        assert parity_subject(con, ORDERS, self.FEBRUARY) == before
        con.execute("UPDATE new.fact_orders SET items = 0 WHERE order_id = 'o5'")
        assert parity_subject(con, ORDERS, self.FEBRUARY) != before

    def test_a_table_without_months_has_none_to_compare(self, con):
        with pytest.raises(ValueError, match="no months"):
            verdict_on(con, table=replace(ORDERS, is_monthly=False), months=self.FEBRUARY)


class TestPage:
    def page(self, *found, approvals=()):
        stored = [
            Verdict("sales", parity.table, "parity", parity.verdict.value, parity.is_green, "s", parity.to_dict(), "r1")
            for parity in found
        ]
        return html_report(stored, approvals, TODAY)

    def test_says_what_changes_and_loads_nothing(self, con):
        in_new_and_replay(con, "DELETE FROM {t} WHERE order_id = 'o1'")
        page = self.page(verdict_on(con), approvals=[approval()])
        for word in ("explained", "NO_ITEMS", "271.75", "-10.25", "rounded once", "order_id = o1"):
            assert word in page
        assert "http" not in page
        assert "<script" not in page

    def test_shows_unequal_cells_side_by_side(self, con):
        con.execute("UPDATE new.fact_orders SET revenue = 1.50 WHERE order_id = 'o4'")
        page = self.page(verdict_on(con))
        assert '<td class="old">40.25</td><td class="new">1.50</td>' in page
        assert "<details open>" in page

    def test_what_data_says_is_never_markup(self, con):
        con.execute("UPDATE new.fact_orders SET order_id = '<b>x</b>' WHERE order_id = 'o4'")
        assert "<b>x</b>" not in self.page(verdict_on(con))


def test_tables_that_are_compared_side_by_side_have_the_verdicts_of_each_alone_in_their_order(con):
    names = ["fact_orders", *(f"fact_{number}" for number in range(5))]
    for schema in ("old", "replay", "new"):
        con.execute("".join(f"CREATE TABLE {schema}.{name} AS FROM {schema}.fact_orders;" for name in names[1:]))
    con.execute("DELETE FROM replay.fact_1 WHERE items = 1; DELETE FROM new.fact_1 WHERE items = 1")
    con.execute("UPDATE new.fact_3 SET revenue = 0")
    tables = [(replace(ORDERS, name=name), Evidence({"NO_ITEMS": 1}, CAUSES)) for name in names]
    found = list(parities_of(con, tables))
    assert found == [parity_of(con, table, evidence) for table, evidence in tables]
    assert {
        parity.table: parity.verdict.value for parity in found if parity.verdict is not ParityVerdict.IDENTICAL
    } == {
        "fact_1": "explained",
        "fact_3": "differs",
    }


def test_a_stored_report_of_an_earlier_version_is_completed(con):
    con.execute("UPDATE new.fact_orders SET revenue = 1.50 WHERE order_id = 'o4'")
    report = verdict_on(con).to_dict()
    stored = {name: value for name, value in report.items() if name not in ("effects", "approvals", "months")}
    for sample in stored["replay_and_new"]["unequal_samples"]:
        sample["old"] = dict(sorted(sample["old"].items()))
    complete = complete_report(stored)
    assert (complete["effects"], complete["approvals"], complete["months"]) == (None, [], None)
    [sample] = complete["replay_and_new"]["unequal_samples"]
    assert list(sample["old"]) == ["order_id", "items", "revenue", "rank", "order_month"]
