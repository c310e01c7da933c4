"""Acceptance, change and events, on a box that carries a weight."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from olist_domain.kernel.aggregate import Aggregate, Entity, RuledRecords
from olist_domain.kernel.events import DomainEvent
from olist_domain.kernel.facts import Fact, scalars
from olist_domain.kernel.rules import Rulebook, RulesBroken, Severity, rule


@dataclass(frozen=True, eq=False)
class BoxFacts:
    weight: Fact[int]


@rule("TOO_HEAVY", Severity.REJECT)
def is_light_enough(box):
    """A box weighs at most 30."""
    return box.weight <= 30


@rule("IMPOSSIBLE", Severity.REJECT)
def is_possible(box):
    """A box weighs at most 90."""
    return box.weight <= 90


@rule("EMPTY", Severity.FLAG)
def is_filled(box):
    """A box weighs something."""
    return box.weight > 0


@rule("ODD", Severity.FLAG)
def is_even(box):
    """A box weighs an even number."""
    return (box.weight == 0) | (box.weight == 2)


BOOK = Rulebook("test", "box", "boxes", BoxFacts, (is_light_enough, is_possible, is_filled, is_even))


class Filled(DomainEvent):
    weight: int


@dataclass(frozen=True)
class BoxRecords(RuledRecords):
    weight: int
    is_new: bool = False

    rules = BOOK

    @property
    def subject(self):
        return "box 1"

    @property
    def awaited(self):
        return ("EMPTY",) if self.is_new else ()

    def facts(self):
        return scalars(BoxFacts, vars(self))


class Box(Aggregate[BoxRecords, Filled]):
    @classmethod
    def build(cls, weight=0):
        return cls._begin(BoxRecords(weight, is_new=True))

    def fill(self, weight, *refused):
        self._become(BoxRecords(weight), [self._refusal(code, "So.") for code in refused])
        self._register([Filled(occurred_at=datetime(2018, 1, 2), weight=weight)])


@dataclass(frozen=True, eq=False)
class Lid(Entity, BoxRecords):
    identity = ("weight",)


def codes(violations):
    return [violation.code for violation in violations]


@pytest.mark.parametrize("make", [Box, Box.from_records, lambda records: Lid(records.weight)])
def test_is_refused_with_every_rejecting_rule_and_accepted_with_flags(make):
    with pytest.raises(RulesBroken) as refused:
        make(BoxRecords(91))
    assert refused.value.codes == ("TOO_HEAVY", "IMPOSSIBLE")
    assert codes(make(BoxRecords(1)).flags) == ["ODD"]


def test_what_rejects_is_no_flag():
    assert codes(BoxRecords(91).violations()) == ["TOO_HEAVY", "IMPOSSIBLE", "ODD"]
    assert codes(BoxRecords(91).flags) == ["ODD"]


def test_a_behaviour_causes_no_flag_and_reports_all_that_is_wrong():
    box = Box(BoxRecords(2))
    with pytest.raises(RulesBroken) as refused:
        box.fill(31, "SEALED", "LABELLED")
    assert refused.value.codes == ("TOO_HEAVY", "ODD", "SEALED", "LABELLED")
    assert str(refused.value.violations[-1]) == "box 1: LABELLED: So."
    assert box.records() == BoxRecords(2), "a refused behaviour leaves it unchanged"
    assert box.collect_events() == []


def test_what_was_broken_before_is_forgiven():
    box = Box(BoxRecords(1))
    box.fill(3)
    assert codes(box.flags) == ["ODD"]
    with pytest.raises(RulesBroken) as refused:
        box.fill(0)
    assert refused.value.codes == ("EMPTY",)


def test_what_is_new_may_await_what_a_flag_asks_for_but_nothing_else():
    assert codes(Box.build().flags) == ["EMPTY"]
    for weight, code in ((1, "ODD"), (31, "TOO_HEAVY")):
        with pytest.raises(RulesBroken) as refused:
            Box.build(weight)
        assert code in refused.value.codes


def test_events_are_collected_once():
    box = Box.build()
    box.fill(2)
    assert [event.weight for event in box.collect_events()] == [2]
    assert box.collect_events() == []


def test_entities_are_the_same_when_their_identity_is():
    assert Lid(2) == Lid(2, is_new=True)
    assert len({Lid(2), Lid(2, is_new=True), Lid(0)}) == 2
    assert Lid(2) != Lid(0)
    assert Lid(2) != BoxRecords(2)


def test_records_tell_no_history_without_milestones_and_derive_nothing_without_derivations():
    assert BoxRecords(2).history() == []
    assert Box(BoxRecords(2)).derived() == {}
