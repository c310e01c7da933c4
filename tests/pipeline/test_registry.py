"""The registry: what follows from what the contexts declare."""

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from olist_pipeline import registry
from olist_pipeline.contexts.sales import SALES
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link, StagedTable
from tests.pipeline.migration.test_file import SMALL, written


def step(context, name, intake=(), published=()):
    table = StagedTable(name, context, aggregate=name, identity="id", columns=("id",), is_monthly=False)
    return ValidationStep(name, (table,), Imported("nowhere:validate"), intake, published)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((step("sales", "orders", intake=("order",)),), r"no landing table .read by the step orders. 'order'"),
        ((step("sales", "orders", published=("sales/order",)),), "'sales/order'; did you mean sales/orders"),
        ((), "two are called sales"),
    ],
)
def test_contexts_that_do_not_fit_are_one_sentence(tmp_path, monkeypatch, steps, said):
    declared = Context("sales", landing=(), steps=steps, rulebooks=())
    module = ModuleType("declared_contexts")
    monkeypatch.setattr(module, "CONTEXTS", (declared,) if steps else (declared, declared), raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    migration = load_migration(written(tmp_path, SMALL.replace("contexts: contexts", f"contexts: {module.__name__}")))
    with pytest.raises(OlistError, match=said):
        registry.contexts_of(migration)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (Link("order_idd"), "no column of landing .of the link order_idd. 'order_idd'; did you mean order_id"),
        (Link("order_id", table="order"), "no landing table .of the link order_id. 'order'; did you mean orders"),
        (
            Link("id", through=("sales/order", "order_id")),
            "no staged table .* 'sales/order'; did you mean sales/orders",
        ),
        (Link("id", through=("sales/orders", "order")), "no column of landing .of the link id. 'order'"),
    ],
)
def test_a_link_of_what_no_quarantined_row_has_is_one_sentence(link, said):
    with pytest.raises(OlistError, match=said):
        registry._refuse_what_does_not_fit(present_migration(), [replace(SALES, links=(link,))])


def test_a_context_says_where_a_comma_is_missing():
    with pytest.raises(TypeError, match="sales needs a tuple of steps; one alone has a comma behind it"):
        Context("sales", landing=(), steps=step("sales", "orders"), rulebooks=())


def test_tables_are_told_apart_by_their_context(monkeypatch):
    """`stock/movements` reads landing's orders itself, and through `stock/levels` those that sales has accepted."""
    steps = (
        step("sales", "orders", intake=("orders", "order_items")),
        step("stock", "levels", intake=("levels",), published=("sales/orders",)),
        step("stock", "movements", intake=("orders",), published=("stock/levels",)),
        step("stock", "unread", intake=("unread",), published=("stock/movements",)),
    )
    monkeypatch.setattr(registry, "STEPS", steps)
    assert registry.origins(["stock/movements"]) == {"movements", "levels", "orders", "order_items"}
    assert registry.contexts_behind(["stock/movements"]) == {"stock", "sales"}
    assert registry.contexts_behind(["sales/orders"]) == {"sales"}
