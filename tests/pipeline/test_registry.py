"""The registry: what follows from what the contexts declare."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import pytest

from olist_domain.sales.rules import ORDER_RULES
from olist_pipeline import registry
from olist_pipeline.contexts.sales import SALES
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.table import Parent
from olist_pipeline.migration.load import load_migration, present_migration
from olist_pipeline.troubles import place_of
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
        ((step("sales", "orders"), step("sales", "orders")), "two staged tables are called sales/orders"),
        (
            (step("sales", "orders"), replace(step("sales", "payments"), name="orders")),
            "two steps are called orders; call one",
        ),
        ((step("sale", "orders"),), "staged table orders is declared by the context sales, and says .* is 'sale'"),
        ((step("sales", "order"),), "staged table of sales .of a rulebook. 'orders'; did you mean order"),
    ],
)
def test_contexts_that_do_not_fit_are_one_sentence(tmp_path, monkeypatch, steps, said):
    declared = Context("sales", landing=(), steps=steps, rulebooks=(ORDER_RULES,) if steps else ())
    module = ModuleType("declared_contexts")
    monkeypatch.setattr(module, "CONTEXTS", (declared,) if steps else (declared, declared), raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    migration = load_migration(written(tmp_path, SMALL.replace("contexts: contexts", f"contexts: {module.__name__}")))
    with pytest.raises(OlistError, match=said):
        registry.contexts_of(migration)


def test_a_declaration_that_refuses_itself_names_the_file_and_line_of_who_declares_it(tmp_path):
    (tmp_path / "declares.py").write_text(
        "from olist_domain.sales.records import OrderRecord\n"
        "from olist_pipeline.landing.table import LandingTable\n\n"
        "ORDERS = LandingTable('orders', 'orders.csv', 'sales', OrderRecord, ('order',), 'order', 'order_id')\n"
    )
    migration = load_migration(written(tmp_path, SMALL.replace("contexts: contexts", "contexts: declares")))
    with pytest.raises(OlistError, match=r"its record has no order; name one of .*declares\.py:4\)\."):
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


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: Context("sales", (), steps=step("sales", "orders"), rulebooks=()), "context sales .* tuple of steps"),
        (lambda: step("sales", "orders", intake=("orders")), "step orders needs a tuple of intake; one alone has a"),
        (lambda: step("sales", "orders", published=("a/b")), "step orders needs a tuple of published"),
        (lambda: replace(ORDERS, key=cast(Any, "order_id")), "landing table orders needs a tuple of key"),
        (lambda: Parent(ORDERS, cast(Any, "order_id")), "parent orders needs a tuple of columns"),
        (lambda: replace(step("sales", "orders").tables[0], columns=("id")), "staged table orders needs a tuple"),
    ],
)
def test_a_declaration_says_where_a_comma_is_missing(declare, said):
    with pytest.raises(TypeError, match=said) as refused:
        declare()
    assert place_of(refused.value).startswith(f"{__file__}:"), "who declares it, and not what refuses it"


@pytest.mark.parametrize(
    ("place", "missing"),
    [
        (f"{step.__module__}:nothing", "no nothing; write it"),
        (f"{step.__module__}s:step", "no tests.pipeline.test_registrys; write it"),
        ("tests.pipe.test_registry:step", "no tests.pipe; write it"),
    ],
)
def test_a_function_that_is_not_at_its_place_is_one_sentence(place, missing):
    with pytest.raises(OlistError, match=rf'A step names Imported\("{place}"\), and there is {missing}'):
        Imported(place).load()


def test_the_functions_of_all_steps_are_at_their_places():
    assert registry.event_types()


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
