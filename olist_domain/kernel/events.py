"""Domain events and milestones: what happened, and how a record shows that it did.

What belongs here: the base of all events and the `Milestone`, one definition of an event that serves an
aggregate, a replayed history and a frame of a million records. What does not: the events of a context, and
where events are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from olist_domain.kernel.facts import Fact, Scalar, value_of

F = TypeVar("F")


class DomainEvent(BaseModel):
    """Something that happened to one aggregate: past tense, frozen, content only.

    `occurred_at` is the business's time, as the source gives it (Brazilian local time, without an offset).
    """

    model_config = ConfigDict(frozen=True)

    context: ClassVar[str]
    aggregate_type: ClassVar[str]
    identity: ClassVar[str]

    occurred_at: datetime

    @property
    def aggregate_id(self) -> str:
        """The identity of the aggregate that the event belongs to."""
        return str(getattr(self, self.identity))

    def payload(self) -> dict[str, Any]:
        """Return what the event says besides its time, as JSON-ready values (money as text)."""
        return self.model_dump(mode="json", exclude={"occurred_at"})


@dataclass(frozen=True)
class Milestone(Generic[F]):
    """How the facts of a subject tell that an event happened: whether, when, and what it says.

    `says` gives each field of the event as a function of the facts, or as a constant text.
    """

    event: type[DomainEvent]
    when: Callable[[F], Fact[bool]]
    occurred_at: Callable[[F], Fact[datetime]]
    says: Mapping[str, Callable[[F], Fact[Any]] | str]

    def of(self, facts: F) -> DomainEvent | None:
        """Return the event of one object, or None when it has not happened."""
        if value_of(self.when(facts)) is not True:
            return None
        said = {
            name: read if isinstance(read, str) else cast(Scalar[Any], read(facts)).value
            for name, read in self.says.items()
        }
        return self.event(**said, occurred_at=cast(Any, self.occurred_at(facts)).value)


def history(milestones: Iterable[Milestone[F]], facts: F) -> list[DomainEvent]:
    """Return the events that one object's facts tell of, in the order of `milestones`."""
    events = (milestone.of(facts) for milestone in milestones)
    return [event for event in events if event is not None]
