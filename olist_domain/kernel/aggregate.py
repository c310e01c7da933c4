"""Entities and aggregates: how records are accepted, how they change under rules, and what happened to them.

What belongs here: acceptance, change and events, once for every context. What does not: the rules themselves,
and the behaviours of a particular aggregate.

A rejecting rule keeps records out, whichever way they come. A flag never does: it forgives what the source tells
of the past. But a behaviour may not cause one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from olist_domain.kernel.events import DomainEvent, Milestone, history
from olist_domain.kernel.rules import Rulebook, RulesBroken, Severity, Violation


class RuledRecords(ABC):
    """The records of one subject, accepted or not: they know every rule that they break.

    A subclass is a frozen dataclass of records. `rules` is the rulebook of the subject; `milestones` tell its history.
    """

    rules: ClassVar[Rulebook[Any]]
    milestones: ClassVar[tuple[Milestone[Any], ...]] = ()

    @property
    @abstractmethod
    def subject(self) -> str:
        """What a violation calls the subject, e.g. `order 3f2a`."""

    @abstractmethod
    def facts(self) -> Any:
        """Return the facts of the subject, as `rules` reads them."""

    @property
    def awaited(self) -> tuple[str, ...]:
        """The codes of flags that a behaviour may leave, because the subject has yet to come to what they ask for."""
        return ()

    @property
    def flags(self) -> tuple[Violation, ...]:
        """The flagging rules that the subject breaks."""
        return tuple(violation for violation in self.violations() if violation.severity is Severity.FLAG)

    def violations(self) -> list[Violation]:
        """Return every rule that the subject breaks, its parts included."""
        return self.rules.violations(self.facts(), self.subject)

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the subject, by name."""
        return self.rules.derived(self.facts())

    def history(self) -> list[DomainEvent]:
        """Return the events that the records tell of, in the order of `milestones`, whatever their times."""
        return history(self.milestones, self.facts())

    def refuse_rejected(self) -> None:
        """Raise RulesBroken with every rejecting rule that the subject breaks, if there is one."""
        _raise_any(violation for violation in self.violations() if violation.severity is Severity.REJECT)

    def refuse_caused(self, before: RuledRecords | None = None, refused: Iterable[Violation] = ()) -> None:
        """Raise RulesBroken with every rule that a behaviour would break by leading here from `before`.

        Flagging rules count, unless they are `awaited`; what was broken before does not. `refused` is what the
        behaviour itself has against it.
        """
        known = before.violations() if before else []
        caused = (violation for violation in self.violations() if violation not in known)
        _raise_any([*(violation for violation in caused if violation.code not in self.awaited), *refused])


class Entity(RuledRecords):
    """A subject that no rejecting rule forbids, and that stays what it is; raises RulesBroken otherwise.

    Two are the same when the attributes that `identity` names are.
    """

    identity: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        self.refuse_rejected()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.identity)


R = TypeVar("R", bound=RuledRecords)
E = TypeVar("E", bound=DomainEvent)


class Aggregate(Generic[R, E]):
    """A subject that no rejecting rule forbids, and that changes.

    Every behaviour takes the time from its caller, refuses with RulesBroken (all broken rules, not the first) and
    leaves the aggregate unchanged then, and records what happened as an event.
    """

    def __init__(self, records: R) -> None:
        records.refuse_rejected()
        self._records = records
        self._events: list[E] = []

    @classmethod
    def from_records(cls, records: R) -> Self:
        """Return the aggregate of a source's records; raises RulesBroken with every rejecting rule they break."""
        return cls(records)

    @property
    def flags(self) -> tuple[Violation, ...]:
        """The flagging rules that the aggregate breaks as it stands."""
        return self._records.flags

    def records(self) -> R:
        """Return the aggregate as it stands, as records."""
        return self._records

    def derived(self) -> dict[str, Any]:
        """Return the derived attributes of the aggregate as it stands, by name."""
        return self._records.derived()

    def collect_events(self) -> list[E]:
        """Return what happened since the last call, oldest first, and forget it."""
        events, self._events = self._events, []
        return events

    @classmethod
    def _begin(cls, records: R) -> Self:
        """Return the aggregate that a behaviour brings about; refused as a change is."""
        records.refuse_caused()
        return cls(records)

    def _become(self, then: R, refused: Iterable[Violation] = ()) -> None:
        """Take other records, unless that is `refused` or breaks a rule which was not broken before."""
        then.refuse_caused(self._records, refused)
        self._records = then

    def _register(self, events: Iterable[DomainEvent]) -> None:
        """Keep what happened until it is collected."""
        self._events += cast(Iterable[E], events)

    def _refusal(self, code: str, statement: str) -> Violation:
        """Return what a behaviour has against it besides the rules."""
        return Violation(code, Severity.REJECT, statement, self._records.subject)


def _raise_any(violations: Iterable[Violation]) -> None:
    broken = list(violations)
    if broken:
        raise RulesBroken(broken)
