"""What requests and answers look like: the records of the domain, without what the address says already.

What belongs here: shapes. What does not: rules (the domain has them), and addresses (`app`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, create_model

from olist_domain.kernel.records import Record
from olist_domain.kernel.rules import Violation
from olist_domain.sales.order import Order
from olist_domain.sales.records import OrderItemRecord, OrderRecord, PaymentRecord

Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=2)]
FITTING: dict[object, Any] = {str: Text, Decimal: Amount, datetime: NaiveDatetime}
"""What a record's fields must fit when they come from outside: no NUL, cents, the business's time without a zone."""


def without(name: str, record: type[Record], *left_out: str) -> Any:
    """Return the shape `name`: the fields of a record but those of `left_out`; others are refused."""
    fields: dict[str, Any] = {
        field: (FITTING.get(info.annotation, info.annotation), info)
        for field, info in record.model_fields.items()
        if field not in left_out
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=record.__doc__, **fields)


NewItem = without("NewItem", OrderItemRecord, "order_id", "order_item_id")
NewPayment = without("NewPayment", PaymentRecord, "order_id", "payment_sequential")


class NewOrder(BaseModel):
    """An order as a customer places it; its items are numbered as they stand."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Text
    order_estimated_delivery_date: NaiveDatetime
    items: list[NewItem]  # type: ignore[valid-type]


class Cancellation(BaseModel):
    """Why an order is cancelled."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class OrderView(BaseModel):
    """An order as it stands, what the business derives from it, and the codes of the flags that it has."""

    order: OrderRecord
    items: list[OrderItemRecord]
    payments: list[PaymentRecord]
    total_amount: Decimal
    total_payment: Decimal
    flags: list[str]

    @classmethod
    def of(cls, order: Order) -> OrderView:
        """Return the view of an order."""
        records = order.records()
        return cls(
            order=records.order,
            items=list(records.items),
            payments=list(records.payments),
            total_amount=order.total_amount.amount,
            total_payment=order.total_payment.amount,
            flags=[violation.code for violation in order.flags],
        )


class BrokenRule(BaseModel):
    """A rule that a request would break, in the words of the rulebook."""

    code: str
    statement: str
    subject: str

    @classmethod
    def of(cls, violation: Violation) -> BrokenRule:
        """Return what a client is shown of a violation."""
        return cls(code=violation.code, statement=violation.statement, subject=violation.subject)


class Problem(BaseModel):
    """Problem details (RFC 9457). `violations` has every broken rule; `errors` where a body does not fit its shape."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    violations: list[BrokenRule] | None = None
    errors: list[dict[str, Any]] | None = None
