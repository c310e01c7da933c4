"""Value objects: what they refuse and what they know."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_domain.kernel.address import REGION_OF_STATE, STATES, Address, Region, is_state, is_zip_prefix, region_of
from olist_domain.kernel.coordinates import GeoCoordinates, OfNumbers
from olist_domain.kernel.date_range import DateRange
from olist_domain.kernel.dimensions import LONGEST_SIDE_CM, ProductDimensions, is_measure, volume
from olist_domain.kernel.facts import Scalar, value_of
from olist_domain.kernel.money import Money
from olist_domain.kernel.review_score import ReviewScore, Sentiment, is_negative, is_positive, is_score, sentiment_of
from tests.domain.fresh import fresh

amounts = st.decimals(min_value=0, max_value=10**12, places=2)


class TestMoney:
    def test_has_an_amount_and_a_currency(self):
        assert str(Money(Decimal("100.5"))) == "BRL 100.50"

    def test_refuses_a_negative_amount(self):
        with pytest.raises(ValueError, match="cannot be negative"):
            Money(Decimal("-0.01"))

    @pytest.mark.parametrize("text", ["NaN", "Infinity"])
    def test_refuses_what_is_no_number(self, text):
        with pytest.raises(ValueError, match="finite"):
            Money(Decimal(text))

    def test_refuses_an_unknown_currency(self):
        with pytest.raises(ValueError, match="Unsupported currency"):
            Money(Decimal(1), "JPY")

    def test_refuses_to_combine_currencies(self):
        with pytest.raises(ValueError, match="different currencies"):
            Money(Decimal(1), "BRL") + Money(Decimal(1), "USD")
        with pytest.raises(ValueError, match="different currencies"):
            Money(Decimal(1), "USD") + Money(Decimal(1), "BRL")
        with pytest.raises(ValueError, match="different currencies"):
            _ = Money(Decimal(1), "BRL") < Money(Decimal(1), "USD")

    @given(st.lists(amounts, max_size=20))
    def test_adds_exactly(self, values):
        total = sum((Money(value) for value in values), start=Money.zero())
        assert total.amount == sum(values, start=Decimal(0))

    def test_a_currency_is_known_by_its_text(self):
        assert Money(Decimal(1), fresh("USD")) + Money(Decimal(1), fresh("USD")) == Money(Decimal(2), "USD")

    @given(amounts, amounts)
    def test_subtracting_undoes_adding(self, a, b):
        assert Money(a) + Money(b) - Money(b) == Money(a)

    def test_cannot_be_overdrawn(self):
        with pytest.raises(ValueError, match="cannot be negative"):
            Money(Decimal(1)) - Money(Decimal(2))

    def test_is_ordered(self):
        assert Money(Decimal(1)) < Money(Decimal(2))
        assert not Money(Decimal(2)) < Money(Decimal(1))
        assert not Money(Decimal(2)) < Money(Decimal(2))
        assert Money(Decimal(1)) <= Money(Decimal(2))
        assert Money(Decimal(2)) <= Money(Decimal(2))
        assert not Money(Decimal(2)) <= Money(Decimal(1))


class TestAddress:
    def test_knows_its_region(self):
        assert Address("01037", "sao paulo", "SP").region is Region.SOUTHEAST

    def test_every_state_has_one_region(self):
        assert len(STATES) == 27
        assert set(REGION_OF_STATE.values()) == set(Region)

    @pytest.mark.parametrize("city", ["São Paulo", " SAO PAULO ", "sao paulo"])
    def test_the_same_city_however_it_is_typed(self, city):
        assert Address("01037", city, "SP").normalised_city == "sao paulo"

    @pytest.mark.parametrize(
        ("zip_prefix", "city", "state", "message"),
        [
            ("1037", "sao paulo", "SP", "5 digits"),
            ("0103x", "sao paulo", "SP", "5 digits"),
            ("٠١٢٣٤", "sao paulo", "SP", "5 digits"),
            ("01037", "  ", "SP", "City"),
            ("01037", "sao paulo", "XX", "Unknown state"),
        ],
    )
    def test_refuses_what_mail_does_not_reach(self, zip_prefix, city, state, message):
        with pytest.raises(ValueError, match=message):
            Address(zip_prefix, city, state)

    @pytest.mark.parametrize("state", STATES)
    def test_its_region_is_that_of_a_fact(self, state):
        assert value_of(region_of(Scalar(state))) == Address("01037", "sao paulo", state).region
        assert REGION_OF_STATE[state] == value_of(region_of(Scalar(state)))

    @pytest.mark.parametrize("unknown", ["XX", "sp", "", None])
    def test_what_is_no_state_has_no_region(self, unknown):
        assert value_of(region_of(Scalar(unknown))) is None
        assert value_of(is_state(Scalar(unknown))) is (None if unknown is None else False)

    def test_nothing_is_said_of_a_missing_zip_prefix(self):
        assert value_of(is_zip_prefix(Scalar(None))) is None


class TestGeoCoordinates:
    def test_distance_from_sao_paulo_to_rio(self):
        sao_paulo, rio = GeoCoordinates(-23.5505, -46.6333), GeoCoordinates(-22.9068, -43.1729)
        assert sao_paulo.distance_km(rio) == pytest.approx(360.7, abs=0.5)

    @given(
        st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
        st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    )
    def test_distance_is_symmetric_and_bounded(self, here, there):
        a, b = GeoCoordinates(*here), GeoCoordinates(*there)
        assert 0 <= a.distance_km(b) <= 20_016
        assert a.distance_km(b) == pytest.approx(b.distance_km(a), abs=1e-6)
        assert a.distance_km(a) == 0

    @pytest.mark.parametrize(("latitude", "longitude"), [(90, 180), (-90, -180)])
    def test_has_its_bounds(self, latitude, longitude):
        point = GeoCoordinates(latitude, longitude)
        assert (point.latitude, point.longitude) == (latitude, longitude)

    @pytest.mark.parametrize(("number", "bounded"), [(0.5, 0.5), (1.0, 1.0), (1.0000000000000002, 1.0)])
    def test_rounding_leads_no_further_than_around_the_earth(self, number, bounded):
        assert OfNumbers.at_most_one(number) == bounded

    @pytest.mark.parametrize(
        ("latitude", "longitude"), [(90.01, 0), (-90.01, 0), (0, 180.01), (0, -180.01), (float("nan"), 0)]
    )
    def test_refuses_points_that_are_not_on_earth(self, latitude, longitude):
        with pytest.raises(ValueError, match="must lie between"):
            GeoCoordinates(latitude, longitude)


class TestDateRange:
    START = datetime(2018, 1, 1)

    def test_contains_both_ends(self):
        week = DateRange(self.START, self.START + timedelta(days=7))
        assert week.start in week
        assert week.end in week
        assert self.START - timedelta(seconds=1) not in week
        assert week.duration == timedelta(days=7)

    @pytest.mark.parametrize(
        ("start", "end", "shared"),
        [
            (0, 2, False),
            (0, 4, True),
            (0, 3, True),
            (5, 6, True),
            (5, 9, True),
            (7, 9, True),
            (8, 9, False),
            (1, 9, True),
        ],
    )
    def test_overlaps_when_a_moment_is_shared(self, start, end, shared):
        def days(first, last):
            return DateRange(self.START + timedelta(days=first), self.START + timedelta(days=last))

        assert days(3, 7).overlaps(days(start, end)) is shared
        assert days(start, end).overlaps(days(3, 7)) is shared

    def test_may_be_a_moment(self):
        assert DateRange(self.START, fresh(self.START)).duration == timedelta(0)

    def test_refuses_to_end_before_it_starts(self):
        with pytest.raises(ValueError, match="before it starts"):
            DateRange(self.START, self.START - timedelta(seconds=1))


class TestProductDimensions:
    def test_volume(self):
        assert ProductDimensions(225, 16, 10, 14).volume_cm3 == 2240

    @pytest.mark.parametrize("measures", [(0, 1, 1, 1), (1, -1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)])
    def test_refuses_what_has_no_extent(self, measures):
        with pytest.raises(ValueError, match="must be positive"):
            ProductDimensions(*measures)

    def test_refuses_a_side_whose_volume_no_engine_holds(self):
        assert ProductDimensions(LONGEST_SIDE_CM + 1, *[LONGEST_SIDE_CM] * 3).volume_cm3 == 8 * 10**18 < 2**63
        for place, name in enumerate(("length_cm", "height_cm", "width_cm")):
            sides = [1, 1, 1]
            sides[place] = LONGEST_SIDE_CM + 1
            with pytest.raises(ValueError, match=f"{name} must be at most 2000000: 2000001"):
                ProductDimensions(1, *sides)

    @pytest.mark.parametrize("side", [2**63 - 1, LONGEST_SIDE_CM + 1, -LONGEST_SIDE_CM - 1, -(2**63)])
    @pytest.mark.parametrize("place", range(3))
    def test_no_volume_is_known_of_a_side_beyond_the_longest(self, side, place):
        sides = [2, 2, 2]
        sides[place] = side
        assert value_of(volume(*map(Scalar, sides))) is None

    @pytest.mark.parametrize("side", [LONGEST_SIDE_CM, -LONGEST_SIDE_CM])
    @pytest.mark.parametrize("place", range(3))
    def test_the_longest_side_has_a_volume(self, side, place):
        sides = [2, 2, 2]
        sides[place] = side
        assert value_of(volume(*map(Scalar, sides))) == 4 * side

    def test_nothing_is_said_of_a_missing_measure(self):
        assert value_of(is_measure(Scalar(None))) is None
        assert value_of(volume(Scalar(16), Scalar(None), Scalar(14))) is None


class TestReviewScore:
    @pytest.mark.parametrize(
        ("stars", "sentiment"),
        [
            (1, Sentiment.NEGATIVE),
            (2, Sentiment.NEGATIVE),
            (3, Sentiment.NEUTRAL),
            (4, Sentiment.POSITIVE),
            (5, Sentiment.POSITIVE),
        ],
    )
    def test_sentiment(self, stars, sentiment):
        assert ReviewScore(stars).sentiment is sentiment

    def test_is_ordered(self):
        assert max(map(ReviewScore, (2, 5, 1))) == ReviewScore(5)

    @pytest.mark.parametrize("stars", [0, 6])
    def test_refuses_other_scores(self, stars):
        with pytest.raises(ValueError, match="between 1 and 5"):
            ReviewScore(stars)

    def test_nothing_is_said_of_a_missing_score(self):
        for read in (is_score, is_positive, is_negative, sentiment_of):
            assert value_of(read(Scalar(None))) is None

    @pytest.mark.parametrize("stars", [1, 2, 3, 4, 5])
    def test_a_score_is_positive_or_negative_as_its_sentiment_says(self, stars):
        sentiment = ReviewScore(stars).sentiment
        assert value_of(is_positive(Scalar(stars))) is (sentiment is Sentiment.POSITIVE)
        assert value_of(is_negative(Scalar(stars))) is (sentiment is Sentiment.NEGATIVE)

    @pytest.mark.parametrize(("mean", "positive"), [(3.99, False), (4.0, True), (4.01, True)])
    def test_a_mean_of_scores_is_read_like_a_score(self, mean, positive):
        assert value_of(is_positive(Scalar(mean))) is positive
