"""Records, facts, rules, events and value objects cannot be changed once they are made; only aggregates can be."""

import importlib
import pkgutil
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
from pydantic import BaseModel, ValidationError

import olist_domain

MODULES = [importlib.import_module(one.name) for one in pkgutil.walk_packages(olist_domain.__path__, "olist_domain.")]
DATACLASSES = {
    f"{kind.__module__}.{kind.__name__}": kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and is_dataclass(kind) and kind.__module__.startswith("olist_domain.") and fields(kind)
}
MODELS = {
    f"{kind.__module__}.{kind.__name__}": kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_fields
}


@pytest.mark.parametrize("name", DATACLASSES)
def test_nothing_that_is_a_value_can_be_changed(name):
    kind = DATACLASSES[name]
    value = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(kind)[0].name, None)


@pytest.mark.parametrize("name", MODELS)
def test_no_record_and_no_event_can_be_changed(name):
    kind = MODELS[name]
    with pytest.raises(ValidationError, match="frozen"):
        setattr(kind.model_construct(), next(iter(kind.model_fields)), None)


def test_there_are_values():
    assert len(DATACLASSES) > 30
    assert len(MODELS) > 20
