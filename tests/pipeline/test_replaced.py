"""Places in the old project that rules say they replace: those that old never had are refused before a run."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from olist_pipeline import replaced
from olist_pipeline.cli.run import run
from olist_pipeline.errors import OlistError
from olist_pipeline.replaced import DEFINITIONS, refuse_unknown_places


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "fact_ordres.is_sale",
            r"of fact_ordres.is_sale, which sales is_sale replaces, .*sales/\w+\.py:\d+.*did you mean fact_orders",
        ),
        ("fact_orders.is_sael", "no column 'is_sael' of the old model fact_orders, .* is_sale .*did you mean is_sale"),
        ("fact_orders", "no column '' of the old model fact_orders, .*`replaces` takes model.column"),
    ],
)
def test_a_place_that_old_never_had_is_one_sentence(monkeypatch, place, said):
    monkeypatch.setattr(replaced, "rules_by_place", lambda: {place: ["sales is_sale"]})
    with pytest.raises(OlistError, match=said):
        refuse_unknown_places()


def test_a_run_refuses_it_before_it_begins(monkeypatch, tmp_path):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(replaced, "rules_by_place", lambda: {"fact_ordres.is_sale": ["sales is_sale"]})
    ended = CliRunner().invoke(run)
    assert isinstance(ended.exception, OlistError)
    assert "did you mean fact_orders" in str(ended.exception)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "place", ["fact_orders.IS_SALE", "metrics.open_total", "aliased.open", "all_of_it.open", "gone.other"]
)
def test_a_place_that_old_has_or_may_have_is_taken(monkeypatch, tmp_path, place):
    refuse_unknown_places()
    (tmp_path / "fact_orders.sql").write_text("select is_sale from a")
    (tmp_path / "metrics.sql").write_text("select {% for m in ['open'] %} 1 as {{ m }}_total {% endfor %}")
    (tmp_path / "called.sql").write_text("{{ config(alias='aliased') }} select open from a")
    (tmp_path / "all_of_it.sql").write_text("select a.* from {{ ref('called') }} as a")
    (tmp_path / DEFINITIONS).write_text('{"gone.share": []}')
    migrating(monkeypatch, tmp_path, "main.fact_orders")
    monkeypatch.setattr(replaced, "rules_by_place", lambda: {place: ["sales is_sale"]})
    refuse_unknown_places()


@pytest.mark.parametrize("removed", ["all", "one table"])
def test_where_old_has_been_removed_nothing_is_refused(monkeypatch, tmp_path, removed):
    (tmp_path / "models").mkdir()
    (tmp_path / "properties.yml").write_text("models: [{name: fact_orders}, {name: fact_payments}]")
    if removed == "one table":
        (tmp_path / "models" / "fact_payments.sql").write_text("select 1 as paid")
    (tmp_path / "fact_orders.sql").write_text("select 1 as what_new_calls_it")
    migrating(monkeypatch, tmp_path, "fact_orders", "fact_payments", folder="models")
    monkeypatch.setattr(replaced, "rules_by_place", lambda: {"fact_orders.is_sale": ["sales is_sale"]})
    refuse_unknown_places()


def migrating(monkeypatch, project, *tables, folder="."):
    """Have a project migrated whose old tables with a pair are `tables`, their models in `folder`."""
    migration = SimpleNamespace(
        old_folder=project,
        path=project / "migration.yml",
        old=SimpleNamespace(folder=folder),
        pairs=[SimpleNamespace(old=table) for table in tables],
    )
    monkeypatch.setattr(replaced, "present_migration", lambda: migration)
