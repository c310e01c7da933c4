"""The derivations of customers: the attributes that the business computes of a person, an order and an address.

What belongs here: one function for each attribute. What does not: invariants (see `rules`), and plain
totals of a history (see the roll-ups in `facts`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from olist_domain.customer.facts import AddressFacts, PersonFacts, PurchaseFacts
from olist_domain.customer.segments import CustomerSegment, LifetimeValueTier, RfmSegment, SatisfactionTier
from olist_domain.kernel.address import region_of
from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.review_score import is_positive
from olist_domain.kernel.rules import Derivation, derivation

VIP_ORDERS_ABOVE, VIP_SPENT_ABOVE, LOYAL_ORDERS_ABOVE = 10, Decimal("1000.00"), 5
"""More than so many orders, more than so much BRL (guide, step 5.1)."""

VIP_ACTIVE_DAYS, LOYAL_ACTIVE_DAYS = 30, 60
"""Fewer days than these have passed since the last order of somebody active (guide, "Complex CASE statements")."""

CHURN_DAYS = 180
"""Whoever has not ordered for more days than these is gone."""

HIGH_VALUE_FROM, MEDIUM_VALUE_FROM = Decimal("1000.00"), Decimal("200.00")
"""The least lifetime value, in BRL, of the upper two tiers."""

QUINTILES = 5
HIGH_SCORE_FROM, MIDDLE_SCORE, LOW_SCORE_TO = 4, 3, 2
"""How scores of 1 to 5 are read."""


@derivation(name="region", replaces=("mart_geographic_analysis.region",))
def customer_region(customer: AddressFacts) -> Fact[str]:
    """The region of Brazil that the customer of an order lives in."""
    return region_of(customer.customer_state)


@derivation(replaces=("mart_cohort_analysis.is_repeat",))
def is_repeat(purchase: PurchaseFacts) -> Fact[bool]:
    """Whether an order came after the first one of the person; orders of the same moment are all first ones."""
    return purchase.order_purchase_timestamp > purchase.first_order_at


@derivation(name="region", replaces=("int_customers.region", "dim_customer.region"))
def person_region(person: PersonFacts) -> Fact[str]:
    """The region of Brazil of the address of a person's latest order."""
    return region_of(person.state)


@derivation(replaces=("int_customers.average_order_value",))
def average_order_value(person: PersonFacts) -> Fact[float]:
    """What a person spends on an order that is a sale, in BRL; unknown without one."""
    return person.total_spent / person.sale_orders


@derivation(replaces=("int_customers.average_review_score",))
def average_review_score(person: PersonFacts) -> Fact[float]:
    """The mean of the scores that a person gave; unknown without a review.

    Each accepted review of an accepted order counts once, whatever became of the order.
    """
    return person.total_review_score / person.total_reviews


@derivation(replaces=("int_customers.days_since_last_order", "dim_customer.is_churned"))
def days_since_last_order(person: PersonFacts) -> Fact[int]:
    """The days from a person's last order to the day that counts as today; unknown without orders.

    They are calendar days, whatever became of the order.
    """
    return person.last_order_at.days_until(person.as_of)


@derivation(replaces=("int_customers.lifetime_days",))
def lifetime_days(person: PersonFacts) -> Fact[int]:
    """The days from a person's first order to the last; unknown without orders."""
    return person.first_order_at.days_until(person.last_order_at)


@derivation(replaces=("int_customers.cohort_month",))
def cohort_month(person: PersonFacts) -> Fact[date]:
    """The month of a person's first order, by its first day; unknown without orders."""
    return person.first_order_at.month_start()


@derivation(replaces=("int_customers.has_returned", "int_customers.satisfaction_tier"))
def has_returned(person: PersonFacts) -> Fact[bool]:
    """Whether a person ordered on more than one day.

    Any accepted order counts, cancelled ones included; several orders of one day are no return.
    """
    return choose((lifetime_days(person) > 0, True), default=False)


@derivation(
    replaces=(
        "int_customers.customer_segment",
        "dim_customer.customer_segment",
        "mart_customer_analytics.customer_segment",
    )
)
def customer_segment(person: PersonFacts) -> Fact[str]:
    """VIP: over 10 orders and 1000 BRL; LOYAL: over 5 orders; ONE_TIME: one order; NEW: everybody else."""
    return segment_of(person.total_orders, person.total_spent)


@derivation(replaces=("int_customers.satisfaction_tier",))
def satisfaction_tier(person: PersonFacts) -> Fact[str]:
    """The satisfaction of active customers: of VIPs by their scores, of loyal ones by whether they returned.

    The idle days are `days_since_last_order`. A VIP (see `customer_segment`) with fewer than VIP_ACTIVE_DAYS of
    them is VIP_HAPPY where `average_review_score` is LEAST_POSITIVE or more, else VIP_UNHAPPY: a VIP who never
    gave a score is not known to be happy, and counts as unhappy, as in the guide's CASE. Of the others, whoever
    has more than LOYAL_ORDERS_ABOVE orders and fewer than LOYAL_ACTIVE_DAYS idle days is LOYAL_RETURNER where
    `has_returned`, else LOYAL_NEW. Everybody else is STANDARD.
    """
    idle_days = days_since_last_order(person)
    is_active_vip = _is_vip(person.total_orders, person.total_spent) & (idle_days < VIP_ACTIVE_DAYS)
    is_active_loyal = _is_loyal(person.total_orders) & (idle_days < LOYAL_ACTIVE_DAYS)
    return choose(
        (is_active_vip & is_positive(average_review_score(person)), SatisfactionTier.VIP_HAPPY.value),
        (is_active_vip, SatisfactionTier.VIP_UNHAPPY.value),
        (is_active_loyal & has_returned(person), SatisfactionTier.LOYAL_RETURNER.value),
        (is_active_loyal, SatisfactionTier.LOYAL_NEW.value),
        default=SatisfactionTier.STANDARD.value,
    )


@derivation(replaces=("int_customers.recency_score", "int_customers.total_orders"))
def recency_score(person: PersonFacts) -> Fact[int]:
    """The fifth of all persons with orders that a person is in by the last order, 5 the most recent."""
    return quintile(person.recency_rank, person.ranked_persons)


@derivation(replaces=("int_customers.frequency_score", "int_customers.total_orders"))
def frequency_score(person: PersonFacts) -> Fact[int]:
    """The fifth of all persons with orders that a person is in by the number of orders, 5 the most."""
    return quintile(person.frequency_rank, person.ranked_persons)


@derivation(replaces=("int_customers.monetary_score", "int_customers.total_orders"))
def monetary_score(person: PersonFacts) -> Fact[int]:
    """The fifth of all persons with orders that a person is in by what was spent, 5 the most."""
    return quintile(person.monetary_rank, person.ranked_persons)


@derivation(replaces=("int_customers.rfm_score",))
def rfm_score(person: PersonFacts) -> Fact[int]:
    """The three scores as the digits of one number: recency, frequency, monetary."""
    return recency_score(person) * 100 + frequency_score(person) * 10 + monetary_score(person)


@derivation(replaces=("int_customers.rfm_segment", "mart_customer_analytics.total_orders"))
def rfm_segment(person: PersonFacts) -> Fact[str]:
    """The RFM segment, from the scores for recency, frequency and monetary value; unknown without scores.

    CHAMPIONS have all three scores from 4, LOYAL a frequency from 4, POTENTIAL a recency from 4 and a frequency of 2
    or 3, NEW a recency from 4. Of those with a recency up to 2, AT_RISK have a frequency from 3, and the others are
    HIBERNATING. Everybody else is REGULAR.
    """
    recency, frequency, monetary = recency_score(person), frequency_score(person), monetary_score(person)
    is_unknown = recency.is_null() | frequency.is_null() | monetary.is_null()
    is_recent, is_frequent = recency >= HIGH_SCORE_FROM, frequency >= HIGH_SCORE_FROM
    is_long_ago = recency <= LOW_SCORE_TO
    return choose(
        (is_unknown, None),
        (is_recent & is_frequent & (monetary >= HIGH_SCORE_FROM), RfmSegment.CHAMPIONS.value),
        (is_frequent, RfmSegment.LOYAL.value),
        (is_recent & (frequency >= LOW_SCORE_TO), RfmSegment.POTENTIAL.value),
        (is_recent, RfmSegment.NEW.value),
        (is_long_ago & (frequency >= MIDDLE_SCORE), RfmSegment.AT_RISK.value),
        (is_long_ago, RfmSegment.HIBERNATING.value),
        default=RfmSegment.REGULAR.value,
    )


@derivation(replaces=("int_customers.is_churned", "dim_customer.is_churned", "mart_customer_analytics.is_churned"))
def is_churned(person: PersonFacts) -> Fact[bool]:
    """Whether a person has not ordered for more than 180 days; unknown without orders."""
    return days_since_last_order(person) > CHURN_DAYS


@derivation(
    replaces=(
        "int_customers.lifetime_value_tier",
        "dim_customer.lifetime_value_tier",
        "mart_customer_analytics.lifetime_value_tier",
    )
)
def lifetime_value_tier(person: PersonFacts) -> Fact[str]:
    """HIGH: 1000 BRL spent or more; MEDIUM: 200 or more; LOW: less."""
    return choose(
        (person.total_spent >= HIGH_VALUE_FROM, LifetimeValueTier.HIGH.value),
        (person.total_spent >= MEDIUM_VALUE_FROM, LifetimeValueTier.MEDIUM.value),
        default=LifetimeValueTier.LOW.value,
    )


def segment_of(total_orders: Fact[int], total_spent: Fact[Decimal]) -> Fact[str]:
    """The segment of whoever has so many orders and has spent so much."""
    return choose(
        (_is_vip(total_orders, total_spent), CustomerSegment.VIP.value),
        (_is_loyal(total_orders), CustomerSegment.LOYAL.value),
        (total_orders == 1, CustomerSegment.ONE_TIME.value),
        default=CustomerSegment.NEW.value,
    )


def quintile(rank: Fact[int], population: Fact[int]) -> Fact[int]:
    """The fifth, 1 to 5, that a rank from 1 falls into: SQL's NTILE(5).

    NTILE hands what the division leaves over to the first tiles, one each, so that they are larger by one.
    """
    size = population // QUINTILES
    larger_tiles = population - size * QUINTILES
    is_in_larger_tile = rank <= larger_tiles * (size + 1)
    return choose((is_in_larger_tile, (rank - 1) // (size + 1)), default=(rank - 1 - larger_tiles) // size) + 1


def _is_vip(total_orders: Fact[int], total_spent: Fact[Decimal]) -> Fact[bool]:
    return (total_orders > VIP_ORDERS_ABOVE) & (total_spent > VIP_SPENT_ABOVE)


def _is_loyal(total_orders: Fact[int]) -> Fact[bool]:
    return total_orders > LOYAL_ORDERS_ABOVE


CUSTOMER_DERIVATIONS: tuple[Derivation[AddressFacts], ...] = (customer_region,)

PURCHASE_DERIVATIONS: tuple[Derivation[PurchaseFacts], ...] = (is_repeat,)

PERSON_DERIVATIONS: tuple[Derivation[PersonFacts], ...] = (
    person_region,
    average_order_value,
    average_review_score,
    days_since_last_order,
    lifetime_days,
    cohort_month,
    has_returned,
    customer_segment,
    satisfaction_tier,
    recency_score,
    frequency_score,
    monetary_score,
    rfm_score,
    rfm_segment,
    is_churned,
    lifetime_value_tier,
)
