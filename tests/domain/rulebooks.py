"""Rulebooks with a rule that only a test has, and what the ways in of each context are declared as."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from olist_domain.kernel.rules import Rulebook

Behaviours = Mapping[Rulebook[Any], Sequence[Callable[..., object]]]
"""By rulebook: what makes an object with changes, or brings one into an aggregate."""

Causes = Mapping[str, Sequence[Callable[[], object]]]
"""By code of a rule: behaviours that would break it."""

Reasons = Mapping[str, str]
"""By code of a rule: why no behaviour can break it."""


@contextmanager
def one_more(book, rule):
    """Let `rule` stand in `book`, on objects and frames, as long as the context lasts."""
    rules = book.rules
    object.__setattr__(book, "rules", (*rules, rule))
    try:
        yield rule.code
    finally:
        object.__setattr__(book, "rules", rules)
