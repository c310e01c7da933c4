"""Rulebooks on frames: what becomes of a rule that somebody wrote wrongly."""

from dataclasses import dataclass

import polars as pl
import pytest

from olist_domain.kernel.facts import Fact
from olist_domain.kernel.rules import Rulebook, Severity, derivation, rule
from olist_pipeline.engine.rulebooks import derive, validate
from olist_pipeline.errors import OlistError


@dataclass(frozen=True, eq=False)
class BoxFacts:
    weight: Fact[int]


@rule("BOX_TOO_HEAVY", Severity.REJECT)
def is_light(box: BoxFacts) -> Fact[bool]:
    """A box weighs at most 30."""
    return box.wieght <= 30  # type: ignore[attr-defined]


@derivation()
def is_parcel(box: BoxFacts) -> Fact[bool]:
    """Whether the box is a parcel."""
    return box.weight > 1 and box.weight < 5


BOOK = Rulebook("boxes", "box", "boxes", BoxFacts, (is_light,), (is_parcel,))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (validate, "BOX_TOO_HEAVY .*test_rulebooks.py:19. cannot be evaluated: AttributeError: .* 'wieght'"),
        (derive, "is_parcel .*test_rulebooks.py:25. cannot be evaluated: TypeError: a fact has no truth value"),
    ],
)
def test_a_function_that_raises_is_named_with_its_place(run, said):
    with pytest.raises(OlistError, match=said):
        run(pl.DataFrame({"weight": [1]}), BOOK)
