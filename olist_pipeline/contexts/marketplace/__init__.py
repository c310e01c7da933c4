"""The marketplace context in the pipeline: reviews month by month; sellers, products and categories as a whole.

What belongs here: its staged tables and steps, and how frames are validated, split and turned into events. What does
not: a rule (see `olist_domain.marketplace`), and orchestration.
"""

from olist_domain.marketplace.rules import CATEGORY_RULES, PRODUCT_RULES, REVIEW_RULES, SELLER_RULES
from olist_pipeline.landing.catalogue import CATEGORIES, ORDER_REVIEWS, PRODUCTS, SELLERS
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link, StagedTable

REVIEW_TABLE, SELLER_TABLE, PRODUCT_TABLE, CATEGORY_TABLE = map(
    StagedTable.of, (ORDER_REVIEWS, SELLERS, PRODUCTS, CATEGORIES)
)

MARKETPLACE = Context(
    "marketplace",
    landing=(ORDER_REVIEWS, SELLERS, PRODUCTS, CATEGORIES),
    steps=(
        ValidationStep(
            "reviews",
            (REVIEW_TABLE,),
            Imported("olist_pipeline.contexts.marketplace.reviews:validate_inputs"),
            intake=("order_reviews",),
            published=("sales/orders",),
            cut="order_id",
        ),
        ValidationStep(
            "offers",
            (SELLER_TABLE, PRODUCT_TABLE, CATEGORY_TABLE),
            Imported("olist_pipeline.contexts.marketplace.offers:validate_inputs"),
            intake=("sellers", "products", "categories"),
            published=("sales/orders", "sales/order_items"),
        ),
    ),
    rulebooks=(REVIEW_RULES, SELLER_RULES, PRODUCT_RULES, CATEGORY_RULES),
    links=(Link("product_id"), Link("seller_id")),
)
