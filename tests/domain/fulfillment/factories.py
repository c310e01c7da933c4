"""Records of fulfillment for tests: valid ones, of which a test changes what it is about."""

from datetime import datetime

from olist_domain.fulfillment.delivery import DeliveryRecords, Endpoint
from olist_domain.fulfillment.published import PublishedOrder
from olist_domain.fulfillment.records import GeolocationRecord
from olist_domain.kernel.coordinates import GeoCoordinates
from tests.domain.fresh import fresh_cells

PURCHASE = datetime(2018, 1, 2, 10, 30)
APPROVAL = datetime(2018, 1, 2, 13, 15)
DISPATCH = datetime(2018, 1, 4, 18)
DELIVERY = datetime(2018, 1, 9, 20)
ESTIMATE = datetime(2018, 1, 20)

SAO_PAULO = Endpoint("SP", GeoCoordinates(-23.5505, -46.6333))
RIO = Endpoint("RJ", GeoCoordinates(-22.9068, -43.1729))


def order(**changes):
    valid = {
        "order_id": "o1",
        "customer_id": "c1",
        "order_status": "delivered",
        "order_purchase_timestamp": PURCHASE,
        "order_approved_at": APPROVAL,
        "order_delivered_carrier_date": DISPATCH,
        "order_delivered_customer_date": DELIVERY,
        "order_estimated_delivery_date": ESTIMATE,
    }
    return PublishedOrder(**fresh_cells({**valid, **changes}))


def records(seller=SAO_PAULO, customer=RIO, **changes):
    return DeliveryRecords(order(**changes), seller, customer)


def point(**changes):
    valid = {
        "geolocation_zip_code_prefix": "01037",
        "geolocation_lat": -23.5456,
        "geolocation_lng": -46.6392,
        "geolocation_city": "sao paulo",
        "geolocation_state": "SP",
    }
    return GeolocationRecord(**fresh_cells({**valid, **changes}))
