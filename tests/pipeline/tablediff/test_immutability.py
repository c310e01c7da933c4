"""Neither what is compared nor what is found can be changed once it is made, but what counts while it runs."""

import importlib
import pkgutil
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from olist_pipeline import tablediff

MODULES = [
    importlib.import_module(one.name) for one in pkgutil.iter_modules(tablediff.__path__, "olist_pipeline.tablediff.")
]
VALUES = {
    kind.__name__: kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
}
CHANGING = {"Counts", "Workspace"}


@pytest.mark.parametrize("name", sorted(VALUES.keys() - CHANGING))
def test_a_value_stays_what_it_is(name):
    kind = VALUES[name]
    with pytest.raises(FrozenInstanceError):
        setattr(object.__new__(kind), fields(kind)[0].name, None)


def test_there_are_values():
    assert VALUES.keys() > CHANGING
    assert len(VALUES) > 15
