"""The profiles with which dbt runs each tree, and the folder in which replay does."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from dbt.adapters.duckdb.credentials import Attachment

from olist_pipeline import machine
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.profiles import database_of, project_folder, reach, write_profile
from olist_pipeline.migration.project import landing_file
from olist_pipeline.migration.proof import unproven
from olist_pipeline.old_tables import bring
from olist_pipeline.orchestration.dbt_keys import TreeTranslator
from olist_pipeline.orchestration.dbt_projects import dbt_project
from olist_pipeline.orchestration.migration_check import made_elsewhere
from olist_pipeline.settings import Settings
from tests.pipeline.migration.test_file import SMALL, written

OWN = "old: {project: shop, profile: {file: shop/profiles.yml}, environment: {SHOP_TARGET: prod}, vars: {shop: tea}}"

DUCKDB = "shop: {outputs: {default: {type: duckdb}}}"


def shop(folder: Path, profile: str, text: str = SMALL) -> Settings:
    (folder / "shop").mkdir()
    (folder / "shop" / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (folder / "shop" / "profiles.yml").write_text(profile)
    path = written(folder, text.replace("old: {project: shop}", OWN))
    return Settings(folder / "home", folder / "landing", None, migration=path)


def output_of(settings: Settings, tree: str) -> dict[str, Any]:
    profile = write_profile(settings, load_migration(settings.migration), tree)
    values = yaml.safe_load((profile.folder / "profiles.yml").read_text())
    output: dict[str, Any] = values[profile.name]["outputs"][profile.target]
    return output


def test_what_a_profile_asks_of_its_environment_is_what_dbt_would_read(tmp_path):
    target = """{{ env_var("SHOP_TARGET", "dev") }}"""
    path = """db/{{ var("shop") }}_{{ env_var("NOBODY_SETS_THIS", "x") }}.duckdb"""
    settings = shop(tmp_path, f"shop: {{target: '{target}', outputs: {{prod: {{type: duckdb, path: '{path}'}}}}}}\n")
    migration = load_migration(settings.migration)
    assert write_profile(settings, migration, "old").arguments[2:] == ["--profile", "shop", "--target", "prod"]
    assert database_of(settings, migration, "old") == settings.home / "old" / "tea_x.duckdb"
    assert output_of(settings, "old")["path"] == str(settings.home / "old" / "tea_x.duckdb")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{{ env_var('NOBODY_SETS_THIS') }}", "asks for the environment variable NOBODY_SETS_THIS, which nothing says"),
        ("{{ env_var( }}", "cannot be rendered"),
        ("test", "has no target 'test'; there are: prod"),
    ],
)
def test_a_profile_that_names_no_target_is_one_sentence(tmp_path, target, said):
    settings = shop(tmp_path, f'shop: {{target: "{target}", outputs: {{prod: {{type: duckdb}}}}}}\n')
    with pytest.raises(OlistError, match=said):
        output_of(settings, "old")


def test_replay_spills_where_the_profile_says_though_duckdb_lets_no_cursor_say_so(tmp_path):
    values = "{type: duckdb, settings: {temp_directory: /spills, TimeZone: UTC}, config_options: {threads: 1}}"
    settings = shop(tmp_path, f"shop: {{target: prod, outputs: {{prod: {values}}}}}\n")
    assert output_of(settings, "old")["settings"] == {"temp_directory": "/spills", "TimeZone": "UTC"}
    replay = output_of(settings, "replay")
    assert replay["settings"] == {"TimeZone": "UTC"}
    assert replay["config_options"].items() >= {"threads": 1, "temp_directory": "/spills"}.items()


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("", {"memory_limit": machine.memory_of_duckdb()}),
        (", config_options: {threads: 1}", {"memory_limit": machine.memory_of_duckdb(), "threads": 1}),
        (", config_options: {MAX_MEMORY: 1GB}", {"MAX_MEMORY": "1GB"}),
        (", settings: {memory_limit: 1GB}", None),
    ],
)
@pytest.mark.parametrize("tree", ["old", "replay"])
def test_memory_is_bounded_where_the_profile_does_not_bound_it(tmp_path, tree, said, limit):
    settings = shop(tmp_path, f"shop: {{target: prod, outputs: {{prod: {{type: duckdb{said}}}}}}}\n")
    assert output_of(settings, tree).get("config_options") == limit


@pytest.mark.parametrize("tree", ["old", "replay"])
def test_what_duckdb_holds_itself_is_not_installed_for_it_would_ask_the_network(tmp_path, tree):
    held = "extensions: [parquet, {name: JSON}, icu, httpfs]"
    settings = shop(tmp_path, DUCKDB.replace("type: duckdb", f"type: duckdb, {held}"))

    assert output_of(settings, tree)["extensions"] == ["httpfs"]


def test_what_old_attaches_is_read_and_not_written(tmp_path):
    """Its models would else be made in the database that others work with."""
    attached = (
        "[{path: /srv/marts.duckdb, alias: marts}, {path: 'x.db', type: sqlite, options: {read_only: false, a: 1}}]"
    )
    settings = shop(tmp_path, f"shop: {{target: prod, outputs: {{prod: {{type: duckdb, attach: {attached}}}}}}}\n")
    output = output_of(settings, "old")
    assert [Attachment.from_dict(one).to_sql() for one in output["attach"]] == [
        "ATTACH IF NOT EXISTS '/srv/marts.duckdb' AS marts (READ_ONLY)",
        "ATTACH IF NOT EXISTS 'x.db' (TYPE sqlite, READ_ONLY, A 1)",
    ]
    node = {"resource_type": "model", "config": {}, "fqn": ["shop"], "schema": "main"}
    nodes = {name: {**node, "name": name, "database": name} for name in ("marts", "WAREHOUSE")}
    [said] = made_elsewhere({"nodes": nodes}, load_migration(settings.migration), "warehouse")
    assert said.startswith("old makes marts in the database marts, which it may only read here")


def test_replay_may_read_the_seeds_that_somebody_vouches_for_wherever_they_are(tmp_path):
    seeds = 'besides: [{seed: zones, reason: ours}, {seed: colours, reason: "a package\'s"}]'
    settings = shop(tmp_path, "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}", SMALL + seeds)
    package = tmp_path / "shop" / "dbt_packages" / "paint"
    files = [tmp_path / "shop" / "seeds" / "deep" / "zones.csv", package / "data" / "colours.csv"]
    for file in (*files, tmp_path / "shop" / "seeds" / "prices.csv"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("id\n1\n")
    (package / "dbt_project.yml").write_text("name: paint\nseed-paths: [data]\n")
    assert reach(settings, load_migration(settings.migration))["files"] == [str(file) for file in files]


def test_replay_has_seeds_written_anew_with_what_is_said_of_them(tmp_path):
    """A seed that is neither in landing nor vouched for is not there: nobody accepted its rows."""
    landing = "{folder: seeds, files: {rides.csv: {}}}\nbesides: [{seed: zones, reason: ours}]"
    settings = shop(
        tmp_path, "shop: {outputs: {default: {type: duckdb}}}", SMALL.replace("{variable: data_dir}", landing)
    )
    seeds = tmp_path / "shop" / "seeds"
    (seeds / "deep").mkdir(parents=True)
    for name in ("rides.csv", "rides.yml", "zones.csv", "prices.csv", "deep/more.yaml"):
        (seeds / name).write_text("of the project")
    settings.replay_landing.mkdir(parents=True)
    for name in ("rides.csv", ".rides.csv.0.tmp"):
        (settings.replay_landing / name).write_text("accepted")
    migration = load_migration(settings.migration)
    mirror = Path(dbt_project(settings, "replay").project_dir) / "seeds"
    found = {str(path.relative_to(mirror)): path.read_text() for path in mirror.rglob("*") if path.is_file()}
    own = dict.fromkeys(("rides.yml", "zones.csv", "deep/more.yaml"), "of the project")
    assert found == {"rides.csv": "accepted", **own}
    (settings.replay_landing / "rides.csv").unlink()
    assert not (project_folder(settings, migration, "replay") / "seeds" / "rides.csv").is_symlink()

    def seed(path, package="shop"):
        return {"resource_type": "seed", "name": "x", "package_name": package, "original_file_path": path}

    nodes = [seed("seeds/rides.csv"), seed("seeds/prices.csv"), seed("rides.csv"), seed("seeds/rides.csv", "paint")]
    assert [landing_file(node, migration) for node in nodes] == ["rides.csv", "", "", ""]
    parsed = {"nodes": dict(zip("0123", nodes, strict=True)), "sources": {}}
    assert len(unproven(parsed, migration, set("0123"))) == 3


@pytest.mark.parametrize(("tree", "made_of"), [("old", "landing/orders"), ("replay", "sales/orders")])
def test_a_seed_that_is_landing_waits_for_its_file_or_for_its_accepted_rows(tmp_path, tree, made_of):
    file = "olist_orders_dataset.csv"
    landing = f"{{folder: seeds, files: {{{file}: {{}}}}}}"
    settings = shop(tmp_path, DUCKDB, SMALL.replace("{variable: data_dir}", landing))
    translator = TreeTranslator(tree, load_migration(settings.migration), {})
    seed = {"resource_type": "seed", "name": "orders", "package_name": "shop", "original_file_path": f"seeds/{file}"}
    node = {**seed, "unique_id": "seed.shop.orders", "path": file, "fqn": ["shop", "orders"], "alias": "orders"}
    said = {"config": {"materialized": "seed"}, "schema": "main", "database": "shop", "columns": {}, "tags": []}
    parsed = {"nodes": {"seed.shop.orders": {**node, **said, "depends_on": {}}}, "sources": {}, "semantic_models": {}}
    spec = translator.get_asset_spec(
        {**parsed, "child_map": {}, "parent_map": {}}, "seed.shop.orders", dbt_project(settings, tree)
    )
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == [made_of]


def test_replay_runs_in_links_to_the_project_wherever_landing_was_in_it_before(tmp_path):
    settings = shop(tmp_path, "{}")
    landing = tmp_path / "shop" / "data" / "raw"
    landing.mkdir(parents=True)
    for file in ("data/own.sql", "data/raw/rows.csv"):
        (tmp_path / "shop" / file).write_text("of the project")
    settings.replay_landing.mkdir(parents=True)
    (settings.replay_landing / "rows.csv").write_text("accepted")
    for folder, rows in (("data/raw", "data/raw"), ("data", "data"), ("data/raw", "data/raw")):
        text = SMALL.replace("{variable: data_dir}", f"{{folder: {folder}}}")
        mirror = project_folder(settings, load_migration(written(tmp_path, text)), "replay")
        assert (mirror / rows / "rows.csv").read_text() == "accepted"
        assert (mirror / "data" / "own.sql").exists() is (folder == "data/raw")
        assert (mirror / "dbt_project.yml").exists()
    assert {path.name for path in settings.replay_landing.iterdir()} == {"rows.csv"}
    assert (landing / "rows.csv").read_text() == "of the project"


@pytest.mark.parametrize("name", ["olist_warehouse", "warehouse", "old"])
def test_the_old_database_may_have_any_name(tmp_path, name):
    text = SMALL + "pairs: [{old: mart, key: [id]}]\n"
    settings = shop(
        tmp_path, f"shop: {{target: prod, outputs: {{prod: {{type: duckdb, path: {name}.duckdb}}}}}}\n", text
    )
    migration = load_migration(settings.migration)
    node = {"resource_type": "model", "config": {"materialized": "table"}, "fqn": ["shop", "mart"], "schema": "main"}
    database = database_of(settings, migration, "old")
    database.parent.mkdir(parents=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE mart AS SELECT 1 AS id")
    parsed = {"nodes": {"mart": {**node, "unique_id": "mart", "name": "mart", "alias": "mart"}}}
    bring(settings, migration, parsed, "old", ["mart"])
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        assert warehouse.execute("FROM old.mart").fetchall() == [(1,)]


def test_a_view_over_an_attached_database_reads_it_where_the_profile_says(tmp_path):
    attached = "[{path: data/crm.duckdb, alias: crm}, {path: nowhere.duckdb, alias: gone}]"
    text = SMALL + "pairs: [{old: mart, key: [id]}]\n"
    settings = shop(
        tmp_path, f"shop: {{target: prod, outputs: {{prod: {{type: duckdb, attach: {attached}}}}}}}\n", text
    )
    migration = load_migration(settings.migration)
    crm, database = tmp_path / "shop" / "data" / "crm.duckdb", database_of(settings, migration, "old")
    for path in (crm, database):
        path.parent.mkdir(parents=True)
    with duckdb.connect(str(crm)) as connection:
        connection.execute("CREATE TABLE customers AS SELECT 7 AS id")
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"ATTACH '{crm}' AS crm")
        connection.execute("CREATE VIEW mart AS FROM crm.customers")
    node = {"resource_type": "model", "config": {"materialized": "view"}, "fqn": ["shop", "mart"], "schema": "main"}
    parsed = {"nodes": {"mart": {**node, "unique_id": "mart", "name": "mart", "alias": "mart"}}}
    bring(settings, migration, parsed, "old", ["mart"])
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        assert warehouse.execute("FROM old.mart").fetchall() == [(7,)]
