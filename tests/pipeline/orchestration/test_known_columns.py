"""The columns that models have, by their SQL alone, and what of a pair no side has."""

from typing import Any

import pytest

from olist_pipeline.migration.load import load_migration
from olist_pipeline.orchestration import migration_check
from olist_pipeline.orchestration.known_columns import KnownColumns
from olist_pipeline.orchestration.migration_check import columns_amiss
from tests.pipeline.migration.test_file import SMALL, written

FILES = "{variable: data_dir, files: {orders.csv: {source: raw.orders}}}"
STG = "select *, upper(state) as state_name from {{ source('raw', 'orders') }}"


@pytest.fixture
def known(tmp_path):
    """Return what makes `KnownColumns` of models, each a text of SQL, with the settings that are given of each."""
    for folder in ("shop/seeds", "landing"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\n")
    (tmp_path / "shop" / "seeds" / "zones.csv").write_text("Zone;place\n1;2\n")
    (tmp_path / "landing" / "orders.csv").write_text("id,state,paid\n1,SP,2\n")
    migration = load_migration(written(tmp_path, SMALL.replace("{variable: data_dir}", FILES)))

    def made(kind="model", columns=None, macros=(), materialized="view", after="", **models):
        shared = {"resource_type": kind, "columns": columns or {}, "language": "sql"}
        parents = {"nodes": ["source.shop.raw.orders", "seed.shop.zones", *(f"model.shop.{name}" for name in models)]}
        depends = {"depends_on": {**parents, "macros": list(macros)}}
        config = {"config": {"materialized": materialized, "post-hook": [{"sql": after}]}}
        nodes = {
            f"model.shop.{name}": {**shared, **depends, **config, "name": name, "raw_code": sql}
            for name, sql in models.items()
        }
        seed = {"resource_type": "seed", "name": "zones", "original_file_path": "seeds/zones.csv"}
        nodes["seed.shop.zones"] = {**seed, "config": {"delimiter": ";"}}
        sources = {"source.shop.raw.orders": {"source_name": "raw", "name": "orders"}}
        asks = {"macro.shop.asks": {"name": "asks", "package_name": "shop", "macro_sql": "{% if execute %}"}}
        manifest = {"nodes": nodes, "sources": sources, "macros": asks}
        return KnownColumns(manifest, tmp_path / "shop", migration, tmp_path / "landing")

    return made


@pytest.mark.parametrize(
    ("landed", "columns"),
    [
        (["orders.csv.gz"], None),
        (["orders/1.csv.gz", "orders/2.parquet"], None),
        (["orders/1.csv.gz", "orders/2.csv"], {"id", "state_name"}),
    ],
)
def test_what_landed_packed_tells_no_columns(known, tmp_path, landed, columns):
    made = known(stg=STG)
    (tmp_path / "landing" / "orders.csv").unlink()
    for name in landed:
        path = tmp_path / "landing" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("id\n1\n")
    assert made.of("model.shop.stg") == columns


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ('select a, b as C, sum(c) as "D e" from t', {"a", "c", "d e"}),
        (
            "with x as (select *, 1 as n from {{ ref('stg') }}) select x.* exclude (id) from x",
            "id state paid state_name n",
        ),
        ("select * from {{ ref('zones') }} union all select 1 as a, 2 as b", "zone place a b"),
        (
            "select s.*, z.place as p from {{ ref('stg') }} s join {{ ref('zones') }} z using (id)",
            "id state paid state_name p",
        ),
        (
            "{% for n in (1, 2) %}select {{ n }} as n_{{ n }}{% if not loop.last %} union all {% endif %}{% endfor %}",
            "n_1 n_2",
        ),
        ("select * from raw.other", None),
        ("select * from read_csv('x.csv')", None),
        ("select {{ theirs.star() }} from {{ ref('stg') }}", None),
        ("{% set found = run_query('select 1') %}select 1 as a", None),
        ("select columns('x.*') from {{ ref('stg') }}", None),
        ("select a, unnest(b) from t", None),
        ("pivot t on a using sum(b)", None),
        ("select 1 as a; select 2 as b", None),
        ("select 1 as a where (", None),
    ],
)
def test_columns_are_known_by_sql_or_not_at_all(known, sql, columns):
    found = known(stg=STG, model=sql).of("model.shop.model")
    assert found == (None if columns is None else set(columns.split() if isinstance(columns, str) else columns))


@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        (
            {"kind": "snapshot"},
            {"a", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_is_deleted"},
        ),
        ({"materialized": "audited"}, None),
        ({"macros": ["macro.shop.asks"]}, None),
        ({"after": "ALTER TABLE {{ this }} ADD COLUMN b INTEGER"}, None),
        ({"after": "ANALYZE {{ this }}"}, {"a"}),
    ],
)
def test_what_makes_columns_of_its_own_is_looked_at(known, settings, columns):
    assert known(model="select 1 as a", **settings).of("model.shop.model") == columns


def test_a_column_that_a_side_does_not_have_is_said_once_with_what_was_meant(known, tmp_path):
    said = "key: [ID], columns: {called: state_name, stat: state}, left_out: {loaded: r}, tolerances: {pain: {}}"
    text = f"{SMALL}pairs: [{{old: a, new: b, measures: [size], {said}}}]"
    migration = load_migration(written(tmp_path, text))
    old = "select *, case when paid > 1 then 'big' else 'small' end as size from {{ ref('stg') }}"
    side = known(stg=STG, a=f"with x as ({old}) select * from x", b="select id, state_name as called, paid from t")
    assert columns_amiss(migration.pairs[0], (side, "model.shop.a"), (side, "model.shop.b")) == [
        "pairs.a.tolerances: old's a has no column pain; did you mean 'paid'",
        "pairs.a.measures: new's b has no column size; there are: called, id, paid",
        "pairs.a.columns: new's b has no column stat (old's state); there are: called, id, paid",
        "pairs.a.left_out: neither side has a column loaded",
        "pairs.a.measures: size is a text in old, and has no sum; take it out",
    ]


def test_a_declared_type_counts(known):
    side = known(
        model="select x as a, y as b from t", columns={"A": {"data_type": "varchar(3)"}, "b": {"data_type": "int"}}
    )
    assert [side.is_text("model.shop.model", name) for name in "ab"] == [True, False]


def test_a_column_that_one_side_alone_declares_is_said_before_a_run(known, tmp_path, monkeypatch):
    monkeypatch.setattr(KnownColumns, "is_declared", lambda *_: True)
    text = f"{SMALL}pairs: [{{old: a, new: b, key: [id], columns: {{called: Name}}, left_out: {{AT: the clock}}}}]"
    [pair] = load_migration(written(tmp_path, text)).pairs
    old = known(a="", columns={"id": {}, "Name": {}, "at": {}, "size": {}})
    new = known(b="", columns={"id": {}, "called": {}, "large": {}})
    assert columns_amiss(pair, (old, "model.shop.a"), (new, "model.shop.b")) == [
        "pairs.a: new alone has the column large; let both have it, or say in left_out why not ({large: ...})",
        "pairs.a: old alone has the column size; let both have it, or say in left_out why not ({size: ...})",
    ]


def test_columns_of_new_are_those_of_new_though_old_calls_its_relations_alike(parsed_project, monkeypatch):
    monkeypatch.setattr(migration_check, "columns_amiss", lambda pair, old, new: [(old[1], new[1])])
    sides: list[Any] = migration_check.checked(parsed_project).problems
    assert sides
    assert [new for _, new in sides] == [old.replace("model.olist.", "model.olist.new__") for old, _ in sides]
