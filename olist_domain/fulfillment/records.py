"""Fulfillment records: typed rows of geolocation, as intake publishes them.

What belongs here: columns, their types and whether they may be missing. What does not: rules.
"""

from olist_domain.kernel.records import Record


class GeolocationRecord(Record):
    """One row of `olist_geolocation_dataset.csv`: one of many points of a zip prefix, in degrees."""

    geolocation_zip_code_prefix: str
    geolocation_lat: float
    geolocation_lng: float
    geolocation_city: str
    geolocation_state: str
