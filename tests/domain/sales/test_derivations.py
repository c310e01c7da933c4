"""The derivations of sales, on an object."""

from decimal import Decimal

import pytest

from olist_domain.kernel.facts import scalars
from olist_domain.sales.rules import PAYMENT_RULES
from olist_domain.sales.status import OrderStatus
from tests.domain.sales.factories import item_record, order_record, payment_record, records
from tests.domain.sales.test_rules import VALID


def derived(name, **parts):
    return records(**parts).derived()[name]


def test_totals_add_up_items():
    items = [item_record(), item_record(order_item_id=2, price=Decimal("0.10"), freight_value=Decimal("0.20"))]
    assert derived("total_amount", items=items) == Decimal("72.49")


def test_an_order_without_items_has_no_total():
    assert derived("total_amount", items=[]) == Decimal("0.00")


@pytest.mark.parametrize(("paid", "mismatch"), [("72.19", False), ("72.20", False), ("72.21", True), ("72.17", True)])
def test_payment_mismatch_begins_beyond_one_cent(paid, mismatch):
    payment = payment_record(payment_value=Decimal(paid))
    assert derived("has_payment_mismatch", payments=[payment]) is mismatch


@pytest.mark.parametrize(
    ("status", "items", "payments", "validity"),
    [
        ("delivered", None, None, "VALID"),
        ("delivered", None, [], "VALID"),
        ("approved", None, [], "INVALID_PAYMENT_MISMATCH"),
        ("approved", [], [], "INVALID_NO_ITEMS"),
        ("created", [], None, "INVALID_NO_ITEMS"),
        ("a status that nobody knows", None, [], "VALID"),
    ],
)
def test_order_validity_names_the_first_reason(status, items, payments, validity):
    order = order_record(order_status=status)
    assert derived("order_validity", order=order, items=items, payments=payments) == validity


@pytest.mark.parametrize(
    ("sellers", "multivendor"), [((), False), (("s1",), False), (("s1", "s1"), False), (("s1", "s2"), True)]
)
def test_multivendor_counts_sellers_once(sellers, multivendor):
    items = [item_record(order_item_id=line, seller_id=seller) for line, seller in enumerate(sellers, start=1)]
    assert derived("is_multivendor", items=items) is multivendor


@pytest.mark.parametrize(
    ("status", "revenue"),
    [("delivered", "72.19"), ("shipped", "72.19"), ("canceled", "0.00"), ("unavailable", "0.00")],
)
def test_lost_sales_bring_no_revenue(status, revenue):
    assert derived("revenue", order=order_record(order_status=status)) == Decimal(revenue)
    assert derived("is_sale", order=order_record(order_status=status)) is (revenue != "0.00")


@pytest.mark.parametrize(("instalments", "expected"), [(0, False), (1, False), (2, True), (None, None)])
def test_a_payment_is_by_instalments_from_two_on(instalments, expected):
    facts = scalars(PAYMENT_RULES.facts, {**VALID[PAYMENT_RULES], "payment_installments": instalments})
    assert PAYMENT_RULES.derived(facts) == {"is_instalment": expected}


@pytest.mark.parametrize("status", OrderStatus)
def test_status_flags(status):
    order = order_record(order_status=status.value)
    assert derived("is_delivered", order=order) is (status is OrderStatus.DELIVERED)
    assert derived("is_canceled", order=order) is (status is OrderStatus.CANCELED)
