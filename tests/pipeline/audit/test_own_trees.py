"""This project's own trees: every rule in old is found, and migrated or waived; new holds none."""

import json
import re
from collections import Counter

import pytest

from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.model import Clause, Kind, State
from olist_pipeline.audit.report import percent_done
from olist_pipeline.audit.trace import (
    by_context_of_migration,
    definitions,
    new_tree,
    old_tree,
    replaced_by_rules,
)
from olist_pipeline.audit.waivers import read_waivers
from olist_pipeline.errors import OlistError
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.replaced import DEFINITIONS
from olist_pipeline.settings import DBT_DIR

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CASE = re.compile(r"\bcase\b", re.IGNORECASE)

TECHNICAL = {
    "guard of a division": 18,
    "pivot": 9,
    "cast of a boolean": 2,
    "guard of a missing value": 1,
    "sum by a flag": 1,
}
"""Why a CASE in old is no rule, and how often. The haversine formula is a guard around what is found as a number."""

PIVOTS = {
    "int_sellers": {"canceled_orders"},
    "mart_customer_analytics": {"high_value_customers", "medium_value_customers", "low_value_customers"},
    "mart_executive_dashboard": {"canceled_orders"}
    | {f"{kind}_payment" for kind in ("credit_card", "boleto", "voucher", "debit_card")},
}


def count_of_case(sql):
    return len(CASE.findall(COMMENT.sub("", sql)))


def test_everything_was_read(old, new):
    assert (old.problems, new.problems) == ((), ())
    assert (old.files, new.files) == tuple(len(list(tree.rglob("*.sql"))) for tree in (old_tree(), new_tree()))


def test_every_case_of_old_is_found_or_explained(old, compiled):
    """A plain count of CASE in what dbt compiles, against what was found and what was explained, model by model."""
    counted = {model: count_of_case(sql) for model, sql in compiled.items() if not model.startswith("new__")}
    found = Counter({entry.finding.model: 0 for entry in old.entries})
    for entry in old.entries:
        found[entry.finding.model] += entry.finding.cases
    explained: Counter[str] = Counter()
    for item in old.technical:
        explained[item.model] += item.cases
    assert {model: found[model] + explained[model] for model in counted} == counted
    assert sum(counted.values()) > 80
    assert sum(explained.values()) < sum(found.values())


def test_the_explanations_are_these(old):
    assert Counter(item.reason for item in old.technical) == TECHNICAL
    pivots = {(item.model, item.column) for item in old.technical if item.reason == "pivot"}
    assert pivots == {(model, column) for model, columns in PIVOTS.items() for column in columns}
    for item in old.technical:
        if item.reason == "guard of a division":
            assert re.search(r"= 0 THEN NULL ELSE .*/", item.sql), item


def test_every_finding_of_old_is_migrated_or_waived(old):
    still_open = [f"{entry.finding.file}:{entry.finding.line} {entry.finding.place}" for entry in old.entries
                  if entry.state is State.OPEN]  # fmt: skip
    assert still_open == [], "name the place in `replaces` of its rule, or waive it in dbt/audit_waivers.yml"


def test_new_holds_no_business_logic(new):
    """Data tests check what the domain decided, and decide nothing; what else remains is waived with a reason."""
    found = [f"{entry.finding.file}:{entry.finding.line} {entry.finding.statement}" for entry in new.entries
             if entry.finding.clause is not Clause.TEST and entry.state is State.OPEN]  # fmt: skip
    assert found == [], "move it into olist_domain"
    waived = {entry.finding.clause for entry in new.entries if entry.state is State.WAIVED}
    assert waived <= {Clause.WHERE}, "new computes nothing of its own"


def test_what_is_migrated_names_its_rules(old):
    by_place = {(entry.finding.place, entry.finding.clause): entry for entry in old.entries}
    assert by_place["int_customers.customer_segment", Clause.SELECT].by == "customer customer_segment"
    assert by_place["stg_order_payments.is_valid_payment", Clause.SELECT].by == (
        "sales NEGATIVE_AMOUNT, sales PAYMENT_TYPE_UNDEFINED"
    )
    casts = [entry for entry in old.entries if entry.finding.shape.normal.startswith("trycast(")]
    assert len(casts) > 20
    assert all(entry.by.startswith("intake UNPARSEABLE_") for entry in casts)


def test_every_kind_is_in_old(old):
    assert {entry.finding.kind for entry in old.entries} == set(Kind)


def test_copies_of_the_segments_and_the_regions_are_known(old):
    groups = [{finding.place for finding in copies.findings} for copies in old.copies if copies.exact]
    models = ("dim_customer", "int_customers", "mart_customer_analytics")
    assert {f"{model}.customer_segment" for model in models} in groups
    assert {f"{model}.lifetime_value_tier" for model in models} in groups
    [regions] = (group for group in groups if "int_sellers.region" in group)
    assert len(regions) == 6


def test_lines_are_those_of_the_files(old):
    for entry in old.entries:
        finding = entry.finding
        lines = (old_tree() / finding.file).read_text("utf-8").splitlines()
        words = {finding.column, *finding.inputs, "case", "sum(", "cast"}
        if finding.clause is Clause.TEST:
            words = {finding.statement.split()[2]}
        assert any(word in lines[finding.line - 1].lower() for word in words), finding


def test_the_manifest_of_dbt_gives_the_same_findings(old, manifest):
    """Rendering by dbt and rendering by the audit find the same, line by line."""

    def told(found):
        return [
            (e.finding.file, e.finding.line, e.finding.column, e.finding.clause, e.finding.kind) for e in found.entries
        ]

    assert told(audit(old_tree(), manifest=manifest, replaced=replaced_by_rules())) == told(old)


def test_the_percentage_of_every_context_is_whole(old):
    done = {name: percent_done(entries) for name, entries in by_context_of_migration(old).items()}
    assert done == dict.fromkeys(CONTEXTS, 100)


def test_waivers_are_reviewed_reasons():
    waivers = read_waivers(DBT_DIR / "audit_waivers.yml", DBT_DIR)
    assert all(len(waiver.reason) > 30 for waiver in waivers)


RULE = "select case when orders > 10 then 'VIP' else 'NEW' end as segment from customers"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "customers.sql").write_text(RULE)
    return tmp_path


def waived(folder, text):
    (folder / "waivers.yml").write_text(text)
    return audit(folder, waivers=folder / "waivers.yml")


def test_a_waiver_gives_its_reason(folder):
    [entry] = waived(folder, "- {model: customers, column: segment, reason: The CRM reads this view.}").entries
    assert (entry.state, entry.by) == (State.WAIVED, "The CRM reads this view.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {model: customers, column: segment}", "must have model, column and reason"),
        ("- {model: customers, column: segment, reason: ''}", "must have model, column and reason"),
        (2 * "- {model: customers, column: segment, reason: a}\n", "more than once"),
        ("model: customers", "must be a list"),
        ("- {model: [", "cannot be read as YAML"),
    ],
)  # fmt: skip
def test_a_waiver_that_cannot_be_meant_is_one_sentence(text, words, folder):
    with pytest.raises(OlistError, match=words):
        waived(folder, text)


def test_a_waiver_of_what_a_rule_replaced_is_idle(folder):
    (folder / "waivers.yml").write_text("- {model: customers, column: segment, reason: It stays.}")
    found = audit(folder, waivers=folder / "waivers.yml", replaced=lambda finding: ("customer segment",))
    [warning] = [text for text in found.warnings if "waives what is not there or is migrated" in text]
    assert "customers.segment" in warning
    assert [entry.state for entry in found.entries] == [State.MIGRATED], "the report is there all the same"


def test_what_is_migrated_is_so_by_its_definition_and_not_by_its_name(tmp_path):
    """A column that a derivation replaced in one model is replaced wherever it is defined so, and nowhere else."""
    [old] = (old_tree() / "core").glob("dim_geography.sql")
    (tmp_path / "territories.sql").write_text(old.read_text("utf-8"))
    foreign = "select case when state in ('SP', 'RJ') then 'Southeast' else 'Elsewhere' end as region from states"
    (tmp_path / "dim_geography.sql").write_text(foreign)
    entries = audit(tmp_path, dialect="duckdb", replaced=replaced_by_rules()).entries
    states = {(entry.finding.model, entry.state) for entry in entries if entry.finding.column == "region"}
    assert states == {("territories", State.MIGRATED), ("dim_geography", State.OPEN)}


def test_the_definitions_that_rules_replaced_are_those_of_old():
    assert definitions() == json.loads((DBT_DIR / DEFINITIONS).read_text("utf-8")), (
        "python -m olist_pipeline.audit.trace"
    )
