"""Deliveries and places from staging: the adapters of the fulfillment ports.

What belongs here: making them of staged rows. What does not: validating rows, and writing staging, which
validation alone does.
"""

from __future__ import annotations

from olist_domain.fulfillment.delivery import NOWHERE, Delivery, DeliveryRecords, Endpoint
from olist_domain.fulfillment.geography import Geography
from olist_domain.fulfillment.published import PublishedCustomer, PublishedItem, PublishedOrder, PublishedSeller
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.fulfillment.repositories import DeliveryNotFoundError
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.records import Record
from olist_pipeline.staging import Staged, find_records


class PlaceRecord(Record):
    """One staged zip prefix, as far as a distance needs it."""

    zip_code_prefix: str
    latitude: float
    longitude: float


class StagedGeographies(Staged[Geography]):
    """The places of a staging folder; see `GeographyRepository`."""

    def find(self, zip_code_prefix: str) -> Geography | None:
        """Return the place of a zip prefix; None for one that geolocation does not know."""
        points = find_records(
            self._staging,
            "fulfillment/geolocation",
            GeolocationRecord,
            geolocation_zip_code_prefix=[zip_code_prefix],
        )
        return Geography(points) if points else None


class StagedDeliveries(Staged[Delivery]):
    """The deliveries of accepted orders of a staging folder; see `DeliveryRepository`."""

    def get(self, order_id: str) -> Delivery:
        """Return the delivery of an order; raises DeliveryNotFoundError, and OlistError without staging."""
        if order_id in self._added:
            return self._added[order_id]
        orders = find_records(self._staging, "sales/orders", PublishedOrder, order_id=[order_id])
        if not orders:
            raise DeliveryNotFoundError(order_id)
        return Delivery.from_records(
            DeliveryRecords(orders[0], self._seller(order_id), self._customer(orders[0].customer_id))
        )

    def add(self, delivery: Delivery) -> None:
        """Keep the delivery as it stands, in place of what was kept under its order."""
        self._added[delivery.order_id] = delivery

    def _seller(self, order_id: str) -> Endpoint:
        items = find_records(self._staging, "sales/order_items", PublishedItem, order_id=[order_id])
        first = min(items, key=lambda item: (item.order_item_id, item.seller_id), default=None)
        ids = [first.seller_id] if first else []
        sellers = find_records(self._staging, "marketplace/sellers", PublishedSeller, seller_id=ids)
        return self._endpoint(sellers[0].seller_state, sellers[0].seller_zip_code_prefix) if sellers else NOWHERE

    def _customer(self, customer_id: str) -> Endpoint:
        found = find_records(self._staging, "customer/customers", PublishedCustomer, customer_id=[customer_id])
        return self._endpoint(found[0].customer_state, found[0].customer_zip_code_prefix) if found else NOWHERE

    def _endpoint(self, state: str, zip_code_prefix: str) -> Endpoint:
        places = find_records(self._staging, "fulfillment/zip_prefixes", PlaceRecord, zip_code_prefix=[zip_code_prefix])
        return Endpoint(state, GeoCoordinates(places[0].latitude, places[0].longitude) if places else None)
