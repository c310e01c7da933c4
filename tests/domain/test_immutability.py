"""Records, facts, rules, events and value objects cannot be changed once they are made; only aggregates can be."""

import importlib
import pkgutil
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

import olist_domain

MODULES = [importlib.import_module(one.name) for one in pkgutil.walk_packages(olist_domain.__path__, "olist_domain.")]
DATACLASSES = {
    f"{kind.__module__}.{kind.__name__}": kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and is_dataclass(kind) and kind.__module__.startswith("olist_domain.") and fields(kind)
}


@pytest.mark.parametrize("name", DATACLASSES)
def test_nothing_that_is_a_value_can_be_changed(name):
    kind = DATACLASSES[name]
    value = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(kind)[0].name, None)


def test_there_are_values():
    assert len(DATACLASSES) > 30
