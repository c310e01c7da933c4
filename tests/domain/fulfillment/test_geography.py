"""Geography: how the points of a zip prefix become one place."""

import itertools

import pytest

from olist_domain.fulfillment.geography import Geography, most_frequent
from olist_domain.kernel.address import Region
from olist_domain.kernel.coordinates import GeoCoordinates
from olist_domain.kernel.rules import RulesBroken
from tests.domain.fulfillment.factories import point


def test_a_place_is_the_mean_and_the_most_frequent_of_its_points():
    place = Geography(
        [
            point(geolocation_lat=-23.5, geolocation_lng=-46.0),
            point(geolocation_lat=-23.6, geolocation_lng=-46.5, geolocation_city="são paulo"),
            point(geolocation_lat=-23.6, geolocation_lng=-46.5),
        ]
    )
    assert (place.zip_code_prefix, place.city, place.state, len(place.points)) == ("01037", "sao paulo", "SP", 3)
    assert place.region is Region.SOUTHEAST
    assert place.centre == GeoCoordinates(-23.566667, -46.333333)


def test_the_smaller_text_wins_a_tie_in_any_order():
    for texts in itertools.permutations(["osasco", "sao paulo", "osasco", "barueri", "barueri"]):
        assert most_frequent(texts) == "barueri"
    assert most_frequent(["barueri", "osasco", "osasco"]) == "osasco"


def test_is_refused_for_points_of_no_or_several_zip_prefixes():
    with pytest.raises(ValueError, match="not of 0"):
        Geography([])
    with pytest.raises(ValueError, match="not of 2"):
        Geography([point(), point(geolocation_zip_code_prefix="01038")])


def test_is_refused_with_every_rule_that_a_point_breaks():
    with pytest.raises(RulesBroken) as refused:
        Geography([point(geolocation_lat=41.1), point(geolocation_state="XX")])
    assert refused.value.codes == ("OUTSIDE_BRAZIL", "INVALID_STATE")
    assert {violation.subject for violation in refused.value.violations} == {"point of zip prefix 01037"}


def test_is_the_same_when_its_digits_are():
    moved = Geography([point(geolocation_lat=-20.0)])
    assert {moved} == {Geography([point()])}
    assert moved != "01037"
    assert moved != Geography([point(geolocation_zip_code_prefix="01038")])
