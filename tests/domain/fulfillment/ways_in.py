"""The ways by which deliveries and places come in."""

from datetime import timedelta

from olist_domain.fulfillment.delivery import Delivery
from olist_domain.fulfillment.geography import Geography
from olist_domain.fulfillment.rules import DELIVERY_RULES, GEOGRAPHY_RULES, GEOLOCATION_RULES
from tests.domain.fulfillment.factories import APPROVAL, DISPATCH, ESTIMATE, PURCHASE, point, records
from tests.domain.rulebooks import Behaviours, Causes, Reasons

SECOND = timedelta(seconds=1)


def planned():
    return Delivery.plan(
        order_id="o1", customer_id="c1", purchased_at=PURCHASE, approved_at=APPROVAL, estimated_delivery=ESTIMATE
    )


def dispatched():
    delivery = planned()
    delivery.dispatch(DISPATCH)
    return delivery


def place(**changes):
    """A place of one point with the changes, where its digits are no other place's, and a valid one."""
    changed = point(**changes)
    return Geography([changed, point(geolocation_zip_code_prefix=changed.geolocation_zip_code_prefix)])


ACCEPTED: Behaviours = {
    DELIVERY_RULES: [lambda **changes: Delivery.from_records(records(**changes))],
    GEOLOCATION_RULES: [place],
    GEOGRAPHY_RULES: [place],
}

BEHAVIOURS: Behaviours = {}

CAUSED: Causes = {
    "DELIVERY_BEFORE_PURCHASE": [lambda: dispatched().complete(PURCHASE - SECOND)],
    "CARRIER_BEFORE_APPROVAL": [lambda: planned().dispatch(APPROVAL - SECOND)],
    "CARRIER_BEFORE_PURCHASE": [lambda: planned().dispatch(PURCHASE - SECOND)],
    "DELIVERED_BEFORE_CARRIER": [lambda: dispatched().complete(DISPATCH - SECOND)],
}

OUT_OF_REACH: Reasons = {
    "DELIVERED_WITHOUT_DATE": "completing gives the date",
    **dict.fromkeys(("OUTSIDE_BRAZIL", "INVALID_STATE", "INVALID_ZIP_PREFIX"), "places do not change"),
}
