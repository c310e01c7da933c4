"""Names that dbt and DuckDB take, and Dagster does not, in a graph."""

import dagster as dg
import pytest

from olist_pipeline.orchestration.graph_names import group_of, relation_key, relation_of_key

NAMES = ["orders", "größe", "Totals (all)", "a b", "a.b-c_d", 'a"/\\b', "名前", "a-x20-b", "a-x2 b", "-x -x"]


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_can_have_an_asset_of_any_relation_and_context(name):
    key = relation_key("old", "marts", name)
    assert relation_of_key(key) == ("old", "marts", name)

    @dg.multi_asset(specs=[dg.AssetSpec(key, group_name=group_of(name))], name="dbt_old")
    def made() -> None: ...

    assert dg.Definitions(assets=[made]).resolve_asset_graph().get(key).group_name == group_of(name)


def test_relations_of_one_tree_stay_apart_in_their_step():
    specs = [dg.AssetSpec(relation_key("old", name)) for name in ("a-b", "a_b", "a.b", "a b")]

    @dg.multi_asset(specs=specs, name="dbt_old")
    def made(): ...

    assert made.keys == {spec.key for spec in specs}


def test_names_stay_apart_and_plain_ones_as_they_are():
    assert len({relation_key("old", name) for name in NAMES}) == len(NAMES)
    assert relation_key("old", "fact_orders") == dg.AssetKey(["old", "fact_orders"])
    assert (group_of("core_marts"), group_of("core-marts"), group_of(None)) == ("core_marts", "core_marts", None)
