"""Names that people type: whether there is such a thing, and which one they may have meant.

What belongs here: the check, its sentence, and the names of tables, rules and events. What does not: a command.
"""

from __future__ import annotations

from collections.abc import Collection

from olist_pipeline.intake.codes import STRUCTURAL_RULES
from olist_pipeline.near import unknown
from olist_pipeline.registry import CONTEXTS, LANDING, event_types


def check_name(kind: str, given: str | None, known: Collection[str]) -> None:
    """Raise OlistError for a name that is none of `known`, with the nearest of them; None is no name and passes."""
    if given is None or given in known:
        return
    raise unknown(kind, given, known)


def check_rule(given: str | None) -> None:
    """Raise OlistError for a code that no rule has, neither of a context nor of intake."""
    if given is None or any(rule.covers(given) for rule in STRUCTURAL_RULES):
        return
    codes = {rule.code for context in CONTEXTS.values() for book in context.rulebooks for rule in book.rules}
    check_name("rule", given, {*codes, *(rule.code for rule in STRUCTURAL_RULES if "<" not in rule.code)})


def check_table(given: str | None) -> None:
    """Raise OlistError for what is no landing table."""
    check_name("landing table", given, LANDING)


def check_event(given: str | None) -> None:
    """Raise OlistError for what is no type of domain event."""
    if given is not None:  # the types take a second to find
        check_name("event", given, {kind.__name__ for kind in event_types()})
