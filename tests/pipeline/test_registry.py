"""The registry: what follows from what the contexts declare."""

from olist_pipeline import registry
from olist_pipeline.validation.context import Imported, ValidationStep
from olist_pipeline.validation.table import StagedTable


def step(context, name, intake=(), published=()):
    table = StagedTable(name, context, aggregate=name, identity="id", columns=("id",), is_monthly=False)
    return ValidationStep(name, (table,), Imported("nowhere:validate"), intake, published)


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
