"""The statuses of an order, the ways between them, and the types of payment.

What belongs here: closed vocabularies of the sales context. What does not: the conditions under which a
status may be taken (see `rules`).
"""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands, in the source's spelling."""

    CREATED = "created"
    APPROVED = "approved"
    INVOICED = "invoiced"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    UNAVAILABLE = "unavailable"
    CANCELED = "canceled"


class PaymentType(StrEnum):
    """How a payment is made, in the source's spelling."""

    CREDIT_CARD = "credit_card"
    BOLETO = "boleto"
    VOUCHER = "voucher"
    DEBIT_CARD = "debit_card"


LOST_SALES = (OrderStatus.CANCELED, OrderStatus.UNAVAILABLE)
"""Orders that bring no revenue."""

SINGLE_INSTALMENT_TYPES = (PaymentType.BOLETO, PaymentType.VOUCHER)
"""Payments that are made at once."""

NEXT_STATUSES: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    OrderStatus.CREATED: (OrderStatus.APPROVED, OrderStatus.UNAVAILABLE, OrderStatus.CANCELED),
    OrderStatus.APPROVED: (
        OrderStatus.INVOICED,
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.UNAVAILABLE,
        OrderStatus.CANCELED,
    ),
    OrderStatus.INVOICED: (
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.UNAVAILABLE,
        OrderStatus.CANCELED,
    ),
    OrderStatus.PROCESSING: (
        OrderStatus.INVOICED,
        OrderStatus.SHIPPED,
        OrderStatus.UNAVAILABLE,
        OrderStatus.CANCELED,
    ),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED, OrderStatus.CANCELED),
    OrderStatus.DELIVERED: (),
    OrderStatus.UNAVAILABLE: (OrderStatus.CANCELED,),
    OrderStatus.CANCELED: (),
}
"""The statuses that may follow a status; an order that reached the end of a row is closed."""
