"""Rulebooks on frames: what becomes of a rule that somebody wrote wrongly."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from operator import attrgetter

import duckdb
import polars as pl
import pytest

from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.rules import Aggregation, Rollup, Rulebook, Severity, derivation, rule
from olist_pipeline.engine.rulebooks import derive, rollup, validate
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
        (
            validate,
            "BOX_TOO_HEAVY .*test_rulebooks.py:23. cannot be evaluated: AttributeError: .* 'wieght'; there is weight",
        ),
        (derive, "is_parcel .*test_rulebooks.py:29. cannot be evaluated: TypeError: a fact has no truth value"),
    ],
)
def test_a_function_that_raises_is_named_with_its_place(run, said):
    with pytest.raises(OlistError, match=said):
        run(pl.DataFrame({"weight": [1]}), BOOK)


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda box: Decimal("0.05") * box.weight, "a fact stands first, and can do what Fact says"),
        (lambda box: box.weight.isin([1]), "a fact stands first, and can do what Fact says"),
        (lambda box: [box.weight], "and not a fact: return what a comparison"),
        (lambda box: box.weight.is_in("12"), r"is_in\(\) needs a list of values"),
        (
            lambda box: choose((box.weight > 1, Decimal("1.00")), default="dear"),
            "an amount and a text: make its values",
        ),
        (lambda box: choose(box.weight > 1, default=1), r"choose\(\) needs pairs"),
        (lambda box: box.weight.days_until(date(2018, 1, 1)), r"a whole number has no days_until\(\)"),
    ],
)
def test_what_a_fact_cannot_do_is_said_with_what_to_do(compute, said):
    compute.__doc__ = "Whatever."
    with pytest.raises(OlistError, match=f"wrong .*py:.*{said}"):
        derive(pl.DataFrame({"weight": [1]}), replace(BOOK, derivations=(derivation(name="wrong")(compute),)))


@pytest.mark.parametrize("name", ["weight", "Weight", "flags", "row"])
def test_a_derivation_that_is_called_like_a_column_takes_no_place(name):
    named = derivation(name=name)(is_parcel.compute)
    with pytest.raises(
        OlistError, match=f"{name} .*py:.* would take the place of a column of boxes; call it otherwise"
    ):
        derive(pl.DataFrame({"weight": [1], "row": [1]}), replace(BOOK, derivations=(named,)))


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


@rule("BOX_TEXT", Severity.REJECT)
def is_below_a_text(box: BoxFacts) -> Fact[bool]:
    """A box weighs less than a text."""
    return box.weight < "30"


@rule("BOX_INVERTED", Severity.REJECT)
def is_not_its_weight(box: BoxFacts) -> Fact[bool]:
    """A box is not what it weighs."""
    return ~box.weight


@rule("BOX_DEAR", Severity.REJECT)
def is_cheap(box: BoxFacts) -> Fact[bool]:
    """A box costs less than a text says: as texts 9.00 is more than 10.00."""
    return choose((box.weight > 1, Decimal("9.00")), default=Decimal("1.00")) <= "10.00"


@rule("BOX_DATED", Severity.REJECT)
def is_dated(box: BoxFacts) -> Fact[bool]:
    """A box weighs less than a day."""
    return box.weight < date(2018, 1, 1)


@rule("BOX_NONE", Severity.REJECT)
def is_weighed(box: BoxFacts) -> Fact[bool]:
    """A box is weighed, which this would never find broken."""
    return box.weight != None  # noqa: E711


ENGINES = {
    "polars": lambda rows: rows,
    "lazy polars": pl.DataFrame.lazy,
    "duckdb": lambda rows: duckdb.from_arrow(rows.to_arrow()),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("run", "wrong", "said"),
    [
        (validate, {"rules": (has_weight,)}, "BOX_NAMELESS .*py:.* returns Int64, and not bool; mend what it returns"),
        (
            validate,
            {"rules": (is_not_blank,)},
            r"BOX_BLANK .*py:.* cannot be computed of its columns: a whole number has no is_blank\(\)",
        ),
        (
            validate,
            {"rules": (is_below_a_text,)},
            "BOX_TEXT .*py:.* cannot be computed of its columns: .*number",
        ),
        (
            validate,
            {"rules": (is_cheap,)},
            "BOX_DEAR .*py:.* cannot be computed of its columns: an amount and a text cannot be compared",
        ),
        (validate, {"rules": (is_dated,)}, "BOX_DATED .*py:.* cannot be computed of its columns: .*number.* a date"),
        (
            validate,
            {"rules": (is_weighed,)},
            r"BOX_NONE .*py:.* cannot be computed of its columns: .*with None .*write is_null\(\)",
        ),
        (
            validate,
            {"rules": (is_not_its_weight,)},
            "BOX_INVERTED .*py:.* cannot be computed of its columns: a whole number has no &, | or ~",
        ),
        (derive, {"derivations": (price,)}, "price .*py:.* returns String, and not Decimal"),
        (
            derive,
            {"derivations": (nearly,)},
            "nearly .*py:.* cannot be computed of its columns: a whole number and a text cannot be added",
        ),
    ],
)
def test_what_is_of_another_kind_than_it_says_is_named_before_rows_are_read(engine, run, wrong, said):
    with pytest.raises(OlistError, match=said):
        run(ENGINES[engine](pl.DataFrame({"weight": [1]})), replace(BOOK, **{"rules": (), "derivations": (), **wrong}))


def test_a_column_that_polars_does_not_have_is_left_to_its_engine():
    boxes = duckdb.connect().sql("SELECT uuid() AS weight")
    assert validate(boxes, replace(BOOK, rules=(is_light_of_name,))).pl()["rejects"].to_list() == ["BOX_NAME"]


@rule("BOX_NAME", Severity.REJECT)
def is_light_of_name(box: BoxFacts) -> Fact[bool]:
    """A box is called so."""
    return box.weight == "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (lambda box: box.wieght, r"total \(.*test_rulebooks.py:\d+\) cannot be evaluated: AttributeError"),
        (attrgetter("wieght"), "total cannot be evaluated: AttributeError"),
    ],
)
def test_a_rollup_that_raises_is_named(of, said):
    with pytest.raises(OlistError, match=said):
        rollup(pl.DataFrame({"weight": [1]}), "weight", BoxFacts, [Rollup("total", Aggregation.SUM, of, empty=0)])
