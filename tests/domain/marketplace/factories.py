"""Records of the marketplace for tests: valid ones, of which a test changes what it is about."""

from datetime import datetime

from olist_domain.marketplace.records import CategoryRecord, ProductRecord, ReviewRecord, SellerRecord
from tests.domain.fresh import fresh_cells

PURCHASE = datetime(2018, 1, 2, 10, 30)


def review_record(**changes):
    valid = {
        "review_id": "r1",
        "order_id": "o1",
        "review_score": 5,
        "review_comment_title": "super recomendo",
        "review_comment_message": "Chegou antes do prazo.",
        "review_creation_date": datetime(2018, 1, 10),
        "review_answer_timestamp": datetime(2018, 1, 11, 9, 30),
    }
    return ReviewRecord(**fresh_cells({**valid, **changes}))


def seller_record(**changes):
    valid = {
        "seller_id": "s1",
        "seller_zip_code_prefix": "13023",
        "seller_city": "campinas",
        "seller_state": "SP",
    }
    return SellerRecord(**fresh_cells({**valid, **changes}))


def product_record(**changes):
    valid = {
        "product_id": "p1",
        "product_category_name": "perfumaria",
        "product_name_lenght": 40,
        "product_description_lenght": 287,
        "product_photos_qty": 1,
        "product_weight_g": 225,
        "product_length_cm": 16,
        "product_height_cm": 10,
        "product_width_cm": 14,
    }
    return ProductRecord(**fresh_cells({**valid, **changes}))


def category_record(**changes):
    valid = {"product_category_name": "perfumaria", "product_category_name_english": "perfumery"}
    return CategoryRecord(**fresh_cells({**valid, **changes}))
