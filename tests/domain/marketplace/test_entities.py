"""Sellers, products, categories and reviews: what they refuse, know and tell."""

from datetime import datetime, timedelta

import pytest

from olist_domain.kernel.address import Address, Region
from olist_domain.kernel.dimensions import ProductDimensions
from olist_domain.kernel.review_score import ReviewScore, Sentiment
from olist_domain.kernel.rules import RulesBroken
from olist_domain.marketplace.category import Category
from olist_domain.marketplace.events import ProductListed, ReviewSubmitted, SellerRegistered
from olist_domain.marketplace.product import Product
from olist_domain.marketplace.repositories import NotOnMarketplaceError
from olist_domain.marketplace.review import Review
from olist_domain.marketplace.seller import Seller
from tests.domain.marketplace.factories import PURCHASE, category_record, product_record, review_record, seller_record


class TestSeller:
    def test_has_an_address(self):
        seller = Seller(seller_record())
        assert seller.address == Address("13023", "campinas", "SP")
        assert seller.derived()["region"] == Region.SOUTHEAST

    def test_gives_its_record_back(self):
        assert Seller(seller_record()).record == seller_record()

    def test_is_refused_with_every_rule(self):
        with pytest.raises(RulesBroken) as refused:
            Seller(seller_record(seller_state="XX", seller_zip_code_prefix="1"))
        assert refused.value.codes == ("INVALID_STATE", "INVALID_ZIP_PREFIX")
        assert "seller s1" in str(refused.value)

    def test_is_registered_by_its_first_sale(self):
        [event] = Seller(seller_record(), first_sold_at=PURCHASE).history()
        assert event == SellerRegistered(occurred_at=PURCHASE, seller_id="s1", seller_state="SP")
        assert (event.context, event.aggregate_type, event.aggregate_id) == ("marketplace", "seller", "s1")

    def test_nobody_knows_when_it_registered_before_it_sells(self):
        assert Seller(seller_record()).history() == []

    def test_is_the_same_when_its_id_is(self):
        moved = Seller(seller_record(seller_state="RJ"))
        assert {moved} == {Seller(seller_record())}
        assert moved != "s1"
        assert moved != Seller(seller_record(seller_id="s2"))


class TestCategory:
    def test_has_two_names(self):
        category = Category(category_record())
        assert (category.name, category.english_name) == ("perfumaria", "perfumery")
        assert category.record == category_record()
        assert category.subject == "category perfumaria"

    def test_is_the_same_when_its_portuguese_name_is(self):
        renamed = Category(category_record(product_category_name_english="scents"))
        assert {renamed} == {Category(category_record())}
        assert renamed != "perfumaria"
        assert renamed != Category(category_record(product_category_name="bebes"))


class TestProduct:
    PERFUMERY = Category(category_record())

    def test_knows_its_category_and_measures(self):
        product = Product(product_record(), self.PERFUMERY)
        assert product.category == "perfumery"
        assert product.dimensions == ProductDimensions(225, 16, 10, 14)
        assert product.dimensions.volume_cm3 == product.derived()["volume_cm3"] == 2240
        assert product.flags == ()
        assert product.subject == "product p1"

    def test_carries_flags(self):
        product = Product(product_record(product_weight_g=0))
        assert [flag.code for flag in product.flags] == [
            "CATEGORY_WITHOUT_TRANSLATION",
            "DIMENSIONS_MISSING_OR_NOT_POSITIVE",
        ]
        assert product.dimensions is None
        assert product.category == "perfumaria"

    @pytest.mark.parametrize("other", ["bebes", "telefonia"])
    def test_is_refused_with_another_category(self, other):
        with pytest.raises(ValueError, match=f"product p1 is of category {other}, not of perfumaria"):
            Product(product_record(product_category_name=other), self.PERFUMERY)

    @pytest.mark.parametrize("category", ["perfumaria", None])
    def test_is_listed_by_its_first_sale(self, category):
        product = Product(product_record(product_category_name=category), first_sold_at=PURCHASE)
        [event] = product.history()
        assert event == ProductListed(occurred_at=PURCHASE, product_id="p1", product_category_name=category)
        assert event.payload() == {"product_id": "p1", "product_category_name": category}

    def test_nobody_knows_when_it_was_listed_before_it_sells(self):
        assert Product(product_record()).history() == []

    def test_is_the_same_when_its_id_is(self):
        heavier = Product(product_record(product_weight_g=500))
        assert {heavier} == {Product(product_record())}
        assert heavier != "p1"
        assert heavier != Product(product_record(product_id="p2"))


def submitted(**changes):
    arguments = {
        "review_id": "r1",
        "order_id": "o1",
        "score": ReviewScore(5),
        "purchased_at": PURCHASE,
        "asked_at": datetime(2018, 1, 10),
        "at": datetime(2018, 1, 11, 9, 30),
        "title": "super recomendo",
        "message": "Chegou antes do prazo.",
    }
    return Review.submit(**{**arguments, **changes})


class TestReview:
    def test_a_submitted_review_is_its_record(self):
        assert submitted().record == review_record()
        assert submitted().score == ReviewScore(5)
        assert submitted().score.sentiment is Sentiment.POSITIVE
        expected = {
            "is_positive": True,
            "is_negative": False,
            "sentiment": "positive",
            "has_comment": True,
            "response_hours": 33,
        }
        assert expected.items() <= submitted().derived().items()

    def test_ids_and_moments_go_by_name(self):
        with pytest.raises(TypeError, match="positional"):
            Review.submit("r1", "o1", ReviewScore(5), PURCHASE, PURCHASE, PURCHASE)  # type: ignore[misc]

    def test_tells_that_it_was_submitted_when_it_was_answered(self):
        [event] = submitted(score=ReviewScore(2)).history()
        assert event == ReviewSubmitted(
            occurred_at=datetime(2018, 1, 11, 9, 30), review_id="r1", order_id="o1", review_score=2
        )
        assert event.aggregate_id == "r1"

    def test_tells_nothing_when_nobody_knows_when(self):
        review = Review(review_record(review_answer_timestamp=None))
        assert review.history() == []
        assert [flag.code for flag in review.flags] == ["REVIEW_DATE_MISSING"]

    def test_a_record_with_another_score_is_refused(self):
        with pytest.raises(RulesBroken) as refused:
            Review(review_record(review_score=0))
        assert refused.value.codes == ("REVIEW_SCORE_OUT_OF_RANGE",)
        assert "review r1 of order o1" in str(refused.value)

    def test_a_flag_forgives_the_past_but_not_a_new_review(self):
        before = PURCHASE - timedelta(hours=1)
        assert [flag.code for flag in Review(review_record(review_creation_date=before), PURCHASE).flags] == [
            "REVIEW_BEFORE_PURCHASE"
        ]
        with pytest.raises(RulesBroken, match="REVIEW_BEFORE_PURCHASE"):
            submitted(asked_at=before)

    def test_is_not_answered_before_it_is_asked_for(self):
        with pytest.raises(ValueError, match="before it is asked for"):
            submitted(at=datetime(2018, 1, 9))
        assert submitted(at=datetime(2018, 1, 10)).derived()["response_hours"] == 0

    def test_an_id_on_several_orders_is_flagged(self):
        assert Review(review_record()).orders_of_review == 1
        review = Review(review_record(), PURCHASE, orders_of_review=2)
        assert [flag.code for flag in review.flags] == ["REVIEW_ON_SEVERAL_ORDERS"]

    def test_is_the_same_when_id_and_order_are(self):
        assert {submitted(score=ReviewScore(1))} == {submitted()}
        assert submitted() != submitted(order_id="o2")
        assert submitted() != "r1"


def test_not_found_names_what_is_missing():
    error = NotOnMarketplaceError("seller", "s1")
    assert str(error) == "No accepted seller has the identity s1"
    assert (error.kind, error.identity) == ("seller", "s1")
