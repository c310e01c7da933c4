"""The dialect of a project, from the strongest of what it says to its SQL."""

import pytest
from sqlglot.dialects.dialect import Dialect

from olist_pipeline.audit.dialects import DIALECTS, dialect_of
from olist_pipeline.audit.jinja import Renderer
from olist_pipeline.audit.profiles import targets_of
from olist_pipeline.audit.project import open_project
from olist_pipeline.audit.reading import renderer_of
from olist_pipeline.errors import OlistError

PROFILE = "shop: {target: prod, outputs: {dev: {type: postgres}, prod: {type: snowflake}}}\n"
LIVY, NOBODY = PROFILE.replace("snowflake", "fabricspark"), PROFILE.replace("snowflake", "n0body")
TEMPLATE = "shop:\n  target: {{ env }}\n  outputs:\n    {{ env }}:\n      type: trino\n      host: {{ host }}\n"

CLICKHOUSE = "select toStartOfMonth(a) from t"
PACKAGE = "with final as (select 1 as a) select * from final where a = 1"
"""No word of ClickHouse's FINAL."""


@pytest.mark.parametrize(
    ("files", "settings", "manifest", "expected"),
    [
        ({}, {"profile": "shop"}, {"metadata": {"adapter_type": "sqlserver"}}, ("tsql", "manifest.json", True)),
        ({"profiles.yml": PROFILE}, {"profile": "shop"}, {}, ("snowflake", "profiles.yml", True)),
        ({"profile/profiles.yml": PROFILE}, {"profile": "shop"}, {}, ("snowflake", "profile/profiles.yml", True)),
        ({"profiles.yml.example": TEMPLATE}, {"profile": "shop"}, {}, ("trino", "profiles.yml.example", True)),
        ({"requirements.txt": "dbt-core==1.8\ndbt-bigquery==1.8\n"}, {}, {}, ("bigquery", "requirements.txt", True)),
        ({"requirements.txt": "dbt-postgres\ndbt-redshift\n"}, {}, {}, ("redshift", "requirements.txt", True)),
        ({".dbt/profiles.yml": PROFILE}, {"profile": "shop"}, {}, ("snowflake", ".dbt/profiles.yml", True)),
        (dict.fromkeys(["a.sql", "b.sql", "c.sql"], PACKAGE), {}, {}, ("duckdb", "nothing says which", False)),
        ({"profiles.yml": LIVY}, {"profile": "shop"}, {}, ("spark", "profiles.yml", True)),
        ({"profiles.yml": NOBODY}, {"profile": "trino"}, {}, ("trino", "the profile in dbt_project.yml", True)),
        ({}, {"profile": "shop"}, {"metadata": {"adapter_type": "n0body"}}, ("duckdb", "nothing says which", False)),
        ({}, {"profile": "redshift_prod"}, {}, ("redshift", "the profile in dbt_project.yml", True)),
        (dict.fromkeys(["a.sql", "b.sql", "c.sql"], CLICKHOUSE), {}, {}, ("clickhouse", "the SQL of 3 files", False)),
        ({"a.sql": "select 1"}, {}, {}, ("duckdb", "nothing says which", False)),
        ({"profiles.yml": "shop: [", "a.sql": "select 1"}, {}, {}, ("duckdb", "nothing says which", False)),
    ],
)  # fmt: skip
def test_what_says_the_dialect(tmp_path, files, settings, manifest, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    targets = targets_of(tmp_path, settings)
    spoken = dialect_of(tmp_path, settings, manifest, sorted(tmp_path.glob("*.sql")), targets=targets)
    assert (spoken.dialect, spoken.why, spoken.is_known) == expected


def test_each_adapter_has_a_dialect_that_is_there():
    assert set(DIALECTS.values()) <= set(Dialect.classes)


FABRIC = """other: {outputs: {dev: {type: duckdb}}}
shop: {target: %s, outputs: {dev: {type: fabric}, live: {type: postgres}}}
"""


@pytest.mark.parametrize(
    ("profile", "named", "expected"),
    [
        (FABRIC % "live", "", ("live", ("postgres",), "profiles.yml")),
        (FABRIC % "live", "dev", ("dev", ("fabric",), "profiles.yml")),
        (FABRIC % "\"{{ env_var('X', 'live') }}\"", "", ("live", ("postgres",), "profiles.yml")),
        (FABRIC % "\"{{ env_var('X') }}\"", "", ("dev", ("fabric",), "profiles.yml")),
        (FABRIC % "null", "", ("dev", ("fabric",), "profiles.yml")),
        (TEMPLATE, "", ("prod", ("trino",), "profiles.yml")),
        (None, "", ("prod", (), "")),
        (None, "ci", ("ci", (), "")),
    ],
)
def test_what_says_the_target(tmp_path, profile, named, expected):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    if profile:
        (tmp_path / "profiles.yml").write_text(profile)
    target = open_project(tmp_path, target=named).target
    assert (target.name, target.adapters, target.file) == expected


def test_a_target_that_the_profile_has_not_is_one_sentence(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text(FABRIC % "live")
    with pytest.raises(OlistError, match=r"profiles.yml has no target 'prod'; there are: dev, live\."):
        open_project(tmp_path, target="prod")


def test_templates_are_told_the_target_and_the_adapter_as_dbt_calls_it(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text(FABRIC % "dev")
    renderer = renderer_of(open_project(tmp_path), "tsql", {})
    assert renderer.render("{{ target.name }} {{ target.type }}", "orders").sql == "dev fabric"
    assert (
        Renderer([], {}, "tsql", "shop").render("{{ target.name }} {{ target.type }}", "orders").sql == "prod sqlserver"
    )
