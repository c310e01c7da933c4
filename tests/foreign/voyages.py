"""A context of strangers with parents and children: voyages, their tickets, and the meals on a ticket.

Nothing in it is called as in Olist: a voyage has a key of two columns, of which one is a number, its ticket names them
otherwise, and a meal belongs to a ticket. Voyages are dated, and older than Olist.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.records import Record
from olist_domain.kernel.rules import Rulebook, Severity, derivation, rule
from olist_pipeline.landing.table import LandingTable, Parent
from olist_pipeline.validation.alone import step_together
from olist_pipeline.validation.context import Context

FILES = {
    "voyages.csv": """\
Line,no,sails_at,cabins
north,1,2009-12-31 10:00:00,80
north,2,2010-01-01 10:00:00,80
north,3,2012-05-06 10:00:00,0
north,4,2012-06-06 10:00:00,80
south,1,someday,80
south,2,2012-06-07 10:00:00,80,?
north,5,1912-04-10 12:00:00,80
""",
    "tickets.csv": """\
ticket,of_line,voyage,paid
t1,north,4,10.00
t2,north,3,10.00
t3,south,1,10.00
t4,nowhere,1,10.00
t5,north,2,10.00
t6,north,1,10.00
""",
    "meals.csv": """\
meal,ticket_code
m1,t1
m2,t2
m3,t3
m4,t9
m5,t5,hot
m6,t3
""",
}


class VoyageRecord(Record):
    """One row of `voyages.csv`."""

    Line: str
    no: int
    sails_at: datetime
    cabins: int


class TicketRecord(Record):
    """One row of `tickets.csv`."""

    ticket: str
    of_line: str
    voyage: int
    paid: Decimal


class MealRecord(Record):
    """One row of `meals.csv`."""

    meal: str
    ticket_code: str


@dataclass(frozen=True, eq=False)
class VoyageFacts:
    """What rules read of a voyage."""

    cabins: Fact[int]


@dataclass(frozen=True, eq=False)
class TicketFacts:
    """What rules read of a ticket."""

    paid: Fact[Decimal]


@dataclass(frozen=True, eq=False)
class MealFacts:
    """What rules read of a meal."""

    meal: Fact[str]


@rule("VOYAGE_WITHOUT_CABINS", Severity.REJECT)
def has_cabins(row: VoyageFacts) -> Fact[bool]:
    """A voyage has a cabin at least."""
    return row.cabins > 0


@derivation(replaces=())
def ship_size(row: VoyageFacts) -> Fact[str]:
    """Large from 50 cabins."""
    return choose((row.cabins < 50, "small"), default="large")


VOYAGES = LandingTable(
    "voyages",
    "voyages.csv",
    "sailing",
    VoyageRecord,
    ("Line", "no"),
    aggregate="voyage",
    identity="Line",
    month_of="sails_at",
    since=date(2010, 1, 1),
)
TICKETS = LandingTable(
    "tickets",
    "tickets.csv",
    "sailing",
    TicketRecord,
    ("ticket",),
    aggregate="ticket",
    identity="ticket",
    parent=Parent(VOYAGES, ("of_line", "voyage")),
)
MEALS = LandingTable(
    "meals",
    "meals.csv",
    "sailing",
    MealRecord,
    ("meal",),
    aggregate="ticket",
    identity="ticket_code",
    parent=Parent(TICKETS, ("ticket_code",)),
)

VOYAGE_RULES = Rulebook(
    context="sailing",
    subject="voyage",
    table="voyages",
    facts=VoyageFacts,
    rules=(has_cabins,),
    derivations=(ship_size,),
)
TICKET_RULES = Rulebook(
    context="sailing", subject="ticket", table="tickets", facts=TicketFacts, rules=(), derivations=()
)
MEAL_RULES = Rulebook(context="sailing", subject="meal", table="meals", facts=MealFacts, rules=(), derivations=())

SAILING = Context(
    "sailing",
    landing=(MEALS, TICKETS, VOYAGES),
    steps=(step_together((MEALS, MEAL_RULES), (TICKETS, TICKET_RULES), (VOYAGES, VOYAGE_RULES)),),
    rulebooks=(VOYAGE_RULES, TICKET_RULES, MEAL_RULES),
)


def write_landing(folder: Path) -> None:
    """Write the files of the context into a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
