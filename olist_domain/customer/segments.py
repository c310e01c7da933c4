"""The groups that persons are sorted into.

What belongs here: closed vocabularies of the customer context. What does not: who belongs to which group
(see `derivations`).
"""

from enum import StrEnum


class CustomerSegment(StrEnum):
    """How much a person buys (guide, step 5.1)."""

    VIP = "VIP"
    LOYAL = "LOYAL"
    ONE_TIME = "ONE_TIME"
    NEW = "NEW"


class SatisfactionTier(StrEnum):
    """How an active person feels about it (guide, "Complex CASE statements")."""

    VIP_HAPPY = "VIP_HAPPY"
    VIP_UNHAPPY = "VIP_UNHAPPY"
    LOYAL_RETURNER = "LOYAL_RETURNER"
    LOYAL_NEW = "LOYAL_NEW"
    STANDARD = "STANDARD"


class RfmSegment(StrEnum):
    """What recency, frequency and monetary value together say of a person."""

    CHAMPIONS = "Champions"
    LOYAL = "Loyal"
    POTENTIAL = "Potential"
    NEW = "New"
    AT_RISK = "At Risk"
    HIBERNATING = "Hibernating"
    REGULAR = "Regular"


class LifetimeValueTier(StrEnum):
    """How much a person has spent so far."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
