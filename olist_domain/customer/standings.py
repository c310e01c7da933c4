"""Standings: where each of many persons stands among all of them.

What belongs here: ranking persons against each other. What does not: what a rank means (see the scores in
`derivations`), and ranking frames (the pipeline does it by the same `RANKED_BY`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from olist_domain.customer.facts import RANKED_BY, PersonFacts, Standing
from olist_domain.kernel.facts import value_of


def standings(persons: Iterable[PersonFacts]) -> dict[str, Standing]:
    """Return the standing of every person with orders, by `customer_unique_id`."""
    ranked = [person for person in persons if value_of(person.last_order_at) is not None]
    ranks = {rank: _ranks(ranked, column) for rank, column in RANKED_BY.items()}
    return {
        identity: Standing(**{rank: of[identity] for rank, of in ranks.items()}, ranked_persons=len(ranked))
        for identity in map(_identity, ranked)
    }


def _ranks(persons: Iterable[PersonFacts], column: str) -> Mapping[str, int]:
    def by_value(person: PersonFacts) -> tuple[Any, str]:
        return value_of(getattr(person, column)), _identity(person)

    return {_identity(person): rank for rank, person in enumerate(sorted(persons, key=by_value), start=1)}


def _identity(person: PersonFacts) -> str:
    return str(value_of(person.customer_unique_id))
