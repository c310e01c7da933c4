"""Column lineage, read from queries as dbt compiles them."""

import dagster as dg
import pytest
from dagster_dbt import DagsterDbtTranslator, DbtProject

from olist_pipeline.orchestration.column_lineage import column_origins, lineage_metadata
from olist_pipeline.settings import DBT_DIR

ORDERS = "(select cast(c1 as int) as id from read_csv('/landing/orders.csv'))"


def node(name, columns, *parents, relation=None):
    return {
        "unique_id": name,
        "package_name": "shop",
        "original_file_path": f"models/{name}.sql",
        "relation_name": relation,
        "columns": {column: {} for column in columns},
        "depends_on": {"nodes": list(parents)},
    }


def manifest(*parents, columns=("id", "amount", "state", "number", "Day")):
    return {
        "metadata": {"adapter_type": "duckdb"},
        "nodes": {
            "orders": node("orders", ["order_id", "Day", "status"], relation='"w"."old"."orders"'),
            "payments": node("payments", ["order_id", "value"], relation='"w"."old"."payments"'),
            "passing": node("passing", [], "payments"),
            "model": node("model", columns, *parents, relation='"w"."old"."model"'),
        },
        "sources": {"landing": node("landing", [], relation=ORDERS)},
    }


def origins(query, *parents):
    return column_origins(manifest(*parents), "model", query)


def test_a_column_comes_from_the_columns_that_it_is_computed_from():
    query = """
        with paid as (select order_id, sum(value) as value from "w"."old"."payments" group by order_id)
        select
            o.order_id as id, coalesce(p.value, 0) as amount, upper(status) || p.order_id as state, count(*) as number
        from "w"."old"."orders" as o left join paid as p on p.order_id = o.order_id group by all
    """
    assert origins(query, "orders", "payments") == {
        "id": {("orders", "order_id")},
        "amount": {("payments", "value")},
        "state": {("orders", "status"), ("payments", "order_id")},
        "number": set(),
    }


def test_names_are_the_declared_ones_whatever_their_case_in_the_query():
    assert origins('select DAY, ORDER_ID as ID from "w"."old"."orders"', "orders") == {
        "Day": {("orders", "Day")},
        "id": {("orders", "order_id")},
    }


def test_both_parts_of_a_union_count():
    query = 'select order_id as id from "w"."old"."orders" union all select value from "w"."old"."payments"'
    assert origins(query, "orders", "payments") == {"id": {("orders", "order_id"), ("payments", "value")}}


def test_a_source_without_declared_columns_has_those_that_the_query_reads():
    query = f"with source as (select * from {ORDERS} as files) select try_cast(trim(id) as bigint) as id from source"
    assert origins(query, "landing") == {"id": {("landing", "id")}}
    elsewhere = query.replace("/landing/", "/moved/it''s here/")
    assert origins(elsewhere, "landing") == {"id": {("landing", "id")}}
    other = query.replace("orders.csv", "payments.csv")
    assert origins(other, "landing") == {"id": set()}


def test_an_ephemeral_model_is_a_part_of_the_query():
    query = 'with __dbt__cte__p as (select * from "w"."old"."payments") select value as amount from __dbt__cte__p'
    assert origins(query, "passing") == {"amount": {("payments", "value")}}


def test_what_a_pivot_hides_is_left_out():
    query = """
        with counted as (
            select * from (select order_id, status from "w"."old"."orders")
            pivot (count(*) for status in ('paid') group by order_id)
        )
        select o.order_id as id, c.paid as number
        from "w"."old"."orders" as o join counted as c on c.order_id = o.order_id
    """
    found = origins(query, "orders")
    assert "number" not in found
    assert found["id"] >= {("orders", "order_id")}


class Keys(DagsterDbtTranslator):
    """A translator that needs no project: the key of an asset is its unique id."""

    def get_asset_spec(self, manifest, unique_id, project):
        return dg.AssetSpec(unique_id)


@pytest.mark.parametrize("query", ["", "select from where", "select * from (pivot", None])
def test_a_query_that_cannot_be_read_keeps_nobody_from_anything(tmp_path, query):
    assert metadata(tmp_path, 'select order_id as id from "w"."old"."orders"') != {}
    assert metadata(tmp_path, query) == {}


def metadata(folder, query):
    """Return the entry of a model whose compiled query is this, or was not compiled."""
    compiled = folder / "compiled" / "shop" / "models" / "model.sql"
    compiled.parent.mkdir(parents=True, exist_ok=True)
    compiled.unlink(missing_ok=True)
    if query is not None:
        compiled.write_text(query)
    return lineage_metadata(manifest("orders"), Keys(), DbtProject(DBT_DIR), "model", folder)
