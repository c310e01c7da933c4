"""Rulebooks on frames: what becomes of a rule that somebody wrote wrongly."""

from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl
import pytest

from olist_domain.kernel.facts import Fact, choose
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
        (validate, "BOX_TOO_HEAVY .*test_rulebooks.py:20. cannot be evaluated: AttributeError: .* 'wieght'"),
        (derive, "is_parcel .*test_rulebooks.py:26. cannot be evaluated: TypeError: a fact has no truth value"),
    ],
)
def test_a_function_that_raises_is_named_with_its_place(run, said):
    with pytest.raises(OlistError, match=said):
        run(pl.DataFrame({"weight": [1]}), BOOK)


@rule("BOX_NAMELESS", Severity.FLAG)
def has_weight(box: BoxFacts) -> Fact[bool]:
    """A box has a weight."""
    return box.weight  # type: ignore[return-value]


@rule("BOX_BLANK", Severity.REJECT)
def is_not_blank(box: BoxFacts) -> Fact[bool]:
    """A box is not blank."""
    return ~box.weight.is_blank()


@derivation()
def price(box: BoxFacts) -> Fact[Decimal]:
    """What sending it costs."""
    return choose((box.weight > 1, "dear"), default="cheap")


@derivation()
def nearly(box: BoxFacts) -> Fact[int]:
    """The weight and a bit."""
    return box.weight + "a bit"


@pytest.mark.parametrize("frame", [pl.DataFrame({"weight": [1]}), pl.LazyFrame({"weight": [1]})])
@pytest.mark.parametrize(
    ("run", "wrong", "said"),
    [
        (validate, {"rules": (has_weight,)}, "BOX_NAMELESS .*py:.* returns Int64, and not bool; mend what it returns"),
        (validate, {"rules": (is_not_blank,)}, "BOX_BLANK .*py:.* cannot be computed of its columns: .*String"),
        (derive, {"derivations": (price,)}, "price .*py:.* returns String, and not Decimal"),
        (derive, {"derivations": (nearly,)}, "nearly .*py:.* cannot be computed of its columns: .* str"),
    ],
)
def test_what_is_of_another_kind_than_it_says_is_named_before_rows_are_read(frame, run, wrong, said):
    with pytest.raises(OlistError, match=said):
        run(frame, replace(BOOK, **{"rules": (), "derivations": (), **wrong}))
