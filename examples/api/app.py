"""The addresses of the service, and how each becomes one behaviour of an order.

What belongs here: HTTP. What does not: rules and events (`olist_domain`), and keeping orders (`orders`).

A request is one transaction: the order is loaded and locked, behaves, and is kept with its events. What is placed or
paid is named by its address (PUT), so a client that had no answer sends it again, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI, Path, Request, Response

from examples.api.orders import AnotherError, Database, PostgresOrders, create_table
from examples.api.problems import PROBLEMS, describe_problems, handle_problems
from examples.api.schemas import Cancellation, NewOrder, NewPayment, OrderView
from olist_domain.sales.order import Order
from olist_domain.sales.order_item import OrderItem
from olist_domain.sales.payment import Payment
from olist_domain.sales.records import OrderItemRecord, PaymentRecord
from olist_domain.sales.repositories import OrderNotFoundError

Clock = Callable[[], datetime]
OrderId = Annotated[str, Path(pattern=r"^[\w-]{1,64}$", description="Whoever places an order chooses its id.")]
Number = Annotated[int, Path(ge=1, le=999, description="Payments of an order are numbered by whoever pays.")]

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"], responses=PROBLEMS)


def business_time() -> datetime:
    """Return the time in São Paulo, without an offset, as the source has it."""
    return datetime.now(ZoneInfo("America/Sao_Paulo")).replace(tzinfo=None)


def create_app(url: str, *, clock: Clock = business_time, connections: int = 8) -> FastAPI:
    """Return the service over the database at `url`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        create_table(url)
        app.state.database, app.state.clock = Database(url, connections), clock
        yield
        app.state.database.close()

    app = FastAPI(title="Orders", version="1", summary="Orders under the rules of olist_domain", lifespan=lifespan)
    app.include_router(router)
    handle_problems(app)
    describe_problems(app)
    return app


@router.get("")
def get_order(request: Request, order_id: OrderId) -> OrderView:
    """Return an order as it stands."""
    with request.app.state.database.orders(may_change=False) as orders:
        return OrderView.of(orders.get(order_id))


@router.put("", status_code=201)
def place_order(request: Request, response: Response, order_id: OrderId, placed: NewOrder) -> OrderView:
    """Place an order. Placing it again changes nothing; another order under its id is refused."""
    items = [
        OrderItem(OrderItemRecord(order_id=order_id, order_item_id=number, **dict(item)))
        for number, item in enumerate(placed.items, start=1)
    ]
    with _orders(request) as orders:
        order = _known(orders, order_id)
        if order is not None:
            _refuse_another(placed, items, order)
            response.status_code = 200
            return OrderView.of(order)
        order = Order.place(
            order_id=order_id,
            customer_id=placed.customer_id,
            at=_now(request),
            estimated_delivery=placed.order_estimated_delivery_date,
            items=items,
        )
        return _kept(orders, order)


@router.put("/payments/{number}")
def pay_order(request: Request, order_id: OrderId, number: Number, paid: NewPayment) -> OrderView:
    """Add a payment. Adding it again changes nothing; another payment under its number is refused."""
    payment = Payment(PaymentRecord(order_id=order_id, payment_sequential=number, **dict(paid)))
    with _orders(request) as orders:
        order = orders.get(order_id)
        known = next((one.record for one in order.payments if one == payment), None)
        if known == payment.record:
            return OrderView.of(order)
        if known is not None:
            raise AnotherError(f"Payment {number} of order {order_id} was made already, and is another one")
        order.add_payment(payment, at=_now(request))
        return _kept(orders, order)


@router.post("/approval")
def approve_order(request: Request, order_id: OrderId) -> OrderView:
    """Approve an order: its payments equal its total."""
    return _changed(request, order_id, lambda order, now: order.approve(at=now))


@router.post("/shipment")
def ship_order(request: Request, order_id: OrderId) -> OrderView:
    """Hand an order to the carrier."""
    return _changed(request, order_id, lambda order, now: order.ship(at=now))


@router.post("/delivery")
def deliver_order(request: Request, order_id: OrderId) -> OrderView:
    """Record that the customer has the order."""
    return _changed(request, order_id, lambda order, now: order.mark_delivered(at=now))


@router.post("/cancellation")
def cancel_order(request: Request, order_id: OrderId, cancellation: Cancellation) -> OrderView:
    """Cancel an order that is not delivered yet."""
    return _changed(request, order_id, lambda order, now: order.cancel(at=now, reason=cancellation.reason))


def _changed(request: Request, order_id: str, behaviour: Callable[[Order, datetime], None]) -> OrderView:
    with _orders(request) as orders:
        order = orders.get(order_id)
        behaviour(order, _now(request))
        return _kept(orders, order)


def _kept(orders: PostgresOrders, order: Order) -> OrderView:
    orders.add(order)
    return OrderView.of(order)


def _known(orders: PostgresOrders, order_id: str) -> Order | None:
    try:
        return orders.get(order_id)
    except OrderNotFoundError:
        return None


def _refuse_another(placed: NewOrder, items: list[OrderItem], order: Order) -> None:
    """Raise AnotherError where an order is not the one that was placed under its id."""
    record = order.records().order
    said = (placed.customer_id, placed.order_estimated_delivery_date, [item.record for item in items])
    if said != (record.customer_id, record.order_estimated_delivery_date, list(order.records().items)):
        raise AnotherError(f"Order {order.order_id} was placed already, and is another one")


def _orders(request: Request) -> Any:
    return request.app.state.database.orders()


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now
