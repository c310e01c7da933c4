"""Records: what their fields say of a cell."""

from decimal import Decimal

import pytest

from olist_domain.kernel.records import CELL_TYPES, value_type


@pytest.mark.parametrize("kind", CELL_TYPES)
def test_the_type_of_a_value_is_that_of_a_field_optional_or_not(kind):
    assert [value_type(field) for field in (kind, kind | None, None | kind)] == [kind] * 3


def test_the_first_of_several_types_counts():
    assert value_type(None | Decimal | str) is Decimal


def test_a_list_of_values_is_no_value():
    assert value_type(list[str]) == list[str]
