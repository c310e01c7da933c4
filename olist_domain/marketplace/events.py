"""The events of the marketplace, and the milestones by which a record shows that they happened.

What belongs here: past-tense facts about sellers, products and reviews. What does not: how they are stored
and numbered (the event store does that).

The source does not say when a seller registered or a product was listed: both have happened by the first
accepted order that names them. Without such an order, or without its time, there is no event.
"""

from __future__ import annotations

from typing import ClassVar

from olist_domain.kernel.events import DomainEvent, Milestone
from olist_domain.marketplace.facts import ProductFacts, ReviewFacts, SellerFacts


class SellerRegistered(DomainEvent):
    """A seller joined the marketplace."""

    context: ClassVar[str] = "marketplace"
    aggregate_type: ClassVar[str] = "seller"
    identity: ClassVar[str] = "seller_id"

    seller_id: str
    seller_state: str


class ProductListed(DomainEvent):
    """A product was offered; the category is the seller's, in Portuguese, if there is one."""

    context: ClassVar[str] = "marketplace"
    aggregate_type: ClassVar[str] = "product"
    identity: ClassVar[str] = "product_id"

    product_id: str
    product_category_name: str | None


class ReviewSubmitted(DomainEvent):
    """A customer answered the question how satisfied an order left them."""

    context: ClassVar[str] = "marketplace"
    aggregate_type: ClassVar[str] = "review"
    identity: ClassVar[str] = "review_id"

    review_id: str
    order_id: str
    review_score: int


REGISTERED = Milestone[SellerFacts](
    SellerRegistered,
    when=lambda seller: ~seller.first_sold_at.is_null(),
    occurred_at=lambda seller: seller.first_sold_at,
    says={
        "seller_id": lambda seller: seller.seller_id,
        "seller_state": lambda seller: seller.seller_state,
    },
)

LISTED = Milestone[ProductFacts](
    ProductListed,
    when=lambda product: ~product.first_sold_at.is_null(),
    occurred_at=lambda product: product.first_sold_at,
    says={
        "product_id": lambda product: product.product_id,
        "product_category_name": lambda product: product.product_category_name,
    },
)

SUBMITTED = Milestone[ReviewFacts](
    ReviewSubmitted,
    when=lambda review: ~review.review_answer_timestamp.is_null(),
    occurred_at=lambda review: review.review_answer_timestamp,
    says={
        "review_id": lambda review: review.review_id,
        "order_id": lambda review: review.order_id,
        "review_score": lambda review: review.review_score,
    },
)

SELLER_HISTORY: tuple[Milestone[SellerFacts], ...] = (REGISTERED,)
PRODUCT_HISTORY: tuple[Milestone[ProductFacts], ...] = (LISTED,)
REVIEW_HISTORY: tuple[Milestone[ReviewFacts], ...] = (SUBMITTED,)
