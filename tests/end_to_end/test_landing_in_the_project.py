"""A project whose landing is a folder in it, as in many examples: its seeds, and files that a source reads there."""

import duckdb
import pytest

from tests.end_to_end.commands import run

pytestmark = pytest.mark.long

FILES = {
    "shop/dbt_project.yml": "name: shop\nprofile: shop\nmodels: {+materialized: table}\n",
    "shop/seeds/raw/raw_orders.csv": "id,from,Order Status,region\n1,a,paid,n\n2,b,open,s\n3,b,lost,s\n4,c,paid,n\n",
    "shop/seeds/raw/raw.yml": """
seeds:
  - name: raw_orders
    config: {quote_columns: true, column_types: {id: bigint, Order Status: varchar}}
""",
    "shop/seeds/raw/raw_customers.csv": "id,name\na,Ann\nb,Bo\nc,Cy\n",
    "shop/seeds/raw/regions.csv": "region,title\nn,North\ns,South\n",
    "shop/seeds/kinds.csv": "status,is_sold\npaid,true\nopen,false\nlost,false\n",
    "shop/models/sources.yml": """
sources:
  - name: files
    config: {meta: {external_location: "seeds/raw/{name}.csv"}}
    tables: [{name: raw_customers}]
""",
    "shop/models/orders.sql": """
select o.id, c.name, status, title, is_sold
from {{ ref('raw_orders') }} o
join {{ source('files', 'raw_customers') }} c on c.id = o."from"
join {{ ref('regions') }} using (region) join {{ ref('kinds') }} k on k.status = o."Order Status"
""",
    "new/dbt_project.yml": "name: new\nprofile: new\nmodels: {+materialized: table, +meta: {context: sales}}\n",
    "new/models/sources.yml": """
sources:
  - name: staging
    config:
      meta:
        external_location: "read_parquet('{{ env_var('OLIST_HOME') }}/staging/sales/{name}/*.parquet')"
    tables:
      - {name: raw_orders, config: {meta: {dagster: {asset_key: [sales, raw_orders]}}}}
      - {name: raw_customers, config: {meta: {dagster: {asset_key: [sales, raw_customers]}}}}
""",
    "new/models/orders.sql": """
select o.id, c.name, o.status, case region when 'n' then 'North' else 'South' end as title, status = 'paid' as is_sold
from {{ source('staging', 'raw_orders') }} o join {{ source('staging', 'raw_customers') }} c on c.id = o.customer
""",
    "migration.yml": """
version: 1
contexts: contexts
old: {project: shop}
landing: {folder: seeds/raw, files: {raw_orders.csv: {}, raw_customers.csv: {source: files.raw_customers}}}
new: {project: new}
models: {sales: [orders]}
besides: [{seed: regions, reason: ours}, {seed: kinds, reason: ours}]
pairs: [{old: orders, key: [id]}]
""",
    "contexts.py": """
from dataclasses import dataclass

from pydantic import Field

from olist_domain.kernel.facts import Fact
from olist_domain.kernel.records import Record
from olist_domain.kernel.rules import Rulebook, Severity, rule
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.validation.alone import step_alone
from olist_pipeline.validation.context import Context
from olist_pipeline.validation.table import Link


class Order(Record):
    id: int
    customer: str = Field(alias="from")
    status: str = Field(alias="Order Status")
    region: str


class Customer(Record):
    id: str
    name: str


@dataclass(frozen=True, eq=False)
class OrderFacts:
    id: Fact[int]
    status: Fact[str]


@dataclass(frozen=True, eq=False)
class CustomerFacts:
    id: Fact[str]


@rule("LOST", Severity.REJECT)
def not_lost(row: OrderFacts) -> Fact[bool]:
    '''An order that was lost is none.'''
    return row.status != "lost"


def table(name, record):
    return LandingTable(name, f"{name}.csv", "sales", record, ("id",), aggregate=name, identity="id")


def rulebook(name, facts, *rules):
    return Rulebook(context="sales", subject=name, table=name, facts=facts, rules=rules, derivations=())


ORDERS, CUSTOMERS = table("raw_orders", Order), table("raw_customers", Customer)
BOOKS = rulebook("raw_orders", OrderFacts, not_lost), rulebook("raw_customers", CustomerFacts)
SALES = Context(
    "sales",
    landing=(ORDERS, CUSTOMERS),
    steps=(step_alone(ORDERS, BOOKS[0]), step_alone(CUSTOMERS, BOOKS[1])),
    rulebooks=BOOKS,
    links=(Link("id", table="raw_orders"),),
)
CONTEXTS = (SALES,)
""",
}


@pytest.fixture(scope="module")
def followed(server_folder):
    """The folder in which the pipeline was run twice, moved in between, and what the commands said."""
    said, folder = [], server_folder / "inside"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    project = files_of(folder)
    said += run(folder, [["olist", "migration", "check"], ["olist", "run"]], environment_of(folder))
    moved = folder.rename(folder.with_name("moved"))
    with (moved / "shop" / "seeds" / "raw" / "raw_orders.csv").open("a") as file:
        file.write("5,a,lost,s\n6,a,open,s\n")
    commands = [["olist", "run"], ["olist", "parity"]]
    said += run(moved, commands, environment_of(moved))
    return moved, said, (project, files_of(moved))


def files_of(folder):
    return {str(path.relative_to(folder)) for path in (folder / "shop").rglob("*")}


def environment_of(folder):
    named = {"OLIST_HOME": "home", "OLIST_DATA_DIR": "shop/seeds/raw", "OLIST_MIGRATION": "migration.yml"}
    return {name: str(folder / path) for name, path in named.items()}


def ids(database, statement="SELECT id FROM old.orders ORDER BY ALL"):
    with duckdb.connect(str(database), read_only=True) as connection:
        return [row[0] for row in connection.execute(statement).fetchall()]


def test_replay_reads_accepted_rows_as_seeds_and_as_files_of_a_source_wherever_the_folder_is_moved(followed):
    folder, said, _ = followed
    assert {one.command: one.error for one in said if one.code} == {}
    assert ids(folder / "home" / "old" / "warehouse.duckdb") == [1, 2, 3, 4, 5, 6]
    assert ids(folder / "home" / "replay" / "warehouse.duckdb") == [1, 2, 4, 6]
    assert "explained" in said[-1].out
    assert "LOST 2" in said[-1].out


def test_replay_has_the_types_that_the_project_gives_its_seeds(followed):
    folder, _, _ = followed
    types = "SELECT data_type FROM information_schema.columns WHERE table_name = 'raw_orders' AND column_name = 'id'"
    assert ids(folder / "home" / "replay" / "warehouse.duckdb", types) == ["BIGINT"]


def test_nothing_is_written_into_the_old_project(followed):
    _, _, (before, after) = followed
    assert before == after
