"""The routing rules, on the project's own lineage and on any routes."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.registry import CONTEXTS, contexts_behind
from olist_pipeline.release_manifest import Content, Reference, Release, ReleasedTable, Route
from olist_pipeline.serving.build import needs_of, references_of
from olist_pipeline.serving.routing import (
    is_of_these_routes,
    lost_references,
    mixtures,
    served_schema,
    unmatched,
    waiting_for,
)
from olist_pipeline.warehouse import load_manifest, warehouse_tables

NAMES = list(CONTEXTS)
CONTENT = Content(1, "hash")


def table(context, needs=()):
    return ReleasedTable("old", 0, context, needs=tuple(needs))


ROUTES = st.fixed_dictionaries({name: st.sampled_from(["old", "shadow", "new", "retired"]) for name in NAMES})


@pytest.fixture(scope="module")
def manifest(parsed_project):
    return load_manifest(parsed_project.dbt_target / "old" / "manifest.json")


@pytest.fixture(scope="module")
def needs(manifest):
    return {table.name: needs_of(table) for table in warehouse_tables(manifest)}


class TestLineage:
    def test_sales_needs_nobody_else(self, manifest, needs):
        assert {needs[t.name] for t in warehouse_tables(manifest) if t.context == "sales"} == {("sales",)}

    def test_a_mart_needs_every_context_that_it_reads(self, needs):
        assert needs["mart_seller_scorecard"] == ("customer", "fulfillment", "marketplace", "sales")

    def test_what_validation_read_counts_too(self, needs):
        """Persons are made of the orders that were accepted, though no model of customer reads sales."""
        assert needs["dim_customer"] == ("customer", "marketplace", "sales")
        assert needs["dim_geography"] == ("fulfillment",)

    def test_contexts_behind_a_staged_table(self):
        assert contexts_behind(["sales/orders"]) == {"sales"}
        assert contexts_behind(["fulfillment/deliveries"]) == set(NAMES)
        assert contexts_behind([]) == set()

    def test_references_are_those_that_dbt_tests_and_keys_of_dimensions(self, manifest):
        found = {(key.child, key.column, key.parent) for key in references_of(manifest, warehouse_tables(manifest))}
        assert ("fact_reviews", "order_id", "fact_orders") in found
        assert ("fact_order_items", "seller_id", "dim_seller") in found
        assert ("fact_orders", "purchase_date_key", "dim_date") in found
        assert not any(child == parent for child, _, parent in found)

    @pytest.mark.parametrize("order", permutations(NAMES), ids="-".join)
    def test_in_any_order_the_last_cutover_puts_everything_on_new(self, needs, order):
        routes: dict[str, Route] = dict.fromkeys(NAMES, "shadow")
        for context in order:
            routes[context] = "new"
            for name, needed in needs.items():
                is_new = served_schema(table(NAMES[0], needed), routes) == "new"
                assert is_new == all(routes[other] == "new" for other in needed), name
        assert {served_schema(table("sales", needed), routes) for needed in needs.values()} == {"new"}


@given(ROUTES, st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from(NAMES))
def test_a_table_is_new_with_all_its_contexts_or_waits_for_one(routes, needed, context):
    chosen = table(context, sorted({context, *needed}))
    waiting = waiting_for(chosen, routes)
    if routes[context] == "retired":
        assert (served_schema(chosen, routes), waiting) == ("new", [])
    else:
        assert (served_schema(chosen, routes) == "new") == (not waiting)
        assert {routes[other] for other in waiting} <= {"old", "shadow"}


@pytest.mark.parametrize("route", ["new", "retired"])
@pytest.mark.parametrize("sources", [{"old": CONTENT, "new": CONTENT}, {"new": CONTENT}])
def test_a_release_is_made_anew_once_a_context_is_retired_and_once_that_is_undone(route, sources):
    alone = ReleasedTable("old", 0, "sales", sources={"old": CONTENT})
    paired = ReleasedTable("new", 0, "sales", needs=("sales",), sources=sources)
    release = Release(1, "", "", "", "", {}, {}, {"alone": alone, "paired": paired})
    assert is_of_these_routes(release, {"sales": route}) == (("old" in sources) != (route == "retired"))


@pytest.mark.parametrize(
    ("schemas", "lost"),
    [
        ({"child": "old", "parent": "old"}, None),
        ({"child": "new", "parent": "new"}, None),
        ({"child": "old", "parent": "new"}, 2),
        ({"child": "new", "parent": "old"}, 1),
    ],
)
@pytest.mark.parametrize("names", [("fact_a", "dim_b"), ("dim_a", "fact_b"), ("fact_a", "fact_b")])
def test_references_are_lost_only_between_sides_and_only_dimensions_forbid_it(schemas, lost, names):
    child, parent = names
    references = (Reference(child, "k", parent, "k", {"old": 2, "new": 1}),)
    tables = {name: replace(table("sales"), is_dimension=name.startswith("dim_")) for name in names}
    release = Release(1, "", "", "", "", {}, {}, tables, references=references)
    served = {child: schemas["child"], parent: schemas["parent"]}
    assert [count for _, count in lost_references(release, served)] == ([lost] if lost else [])
    is_dimension = any(name.startswith("dim_") for name in names)
    assert bool(mixtures(release, served)) == bool(lost and is_dimension)
    assert bool(unmatched(release, served)) == bool(lost and not is_dimension)
