"""Rules, derivations and roll-ups: the business logic, each written once and run on objects and frames.

What belongs here: what a rule, a derivation and a roll-up are, and how a rulebook of one subject runs on one
object. What does not: any particular rule (it lives in its context), and running on frames (the pipeline's
engine does that with the same functions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from olist_domain.kernel.facts import Fact, Scalar

F = TypeVar("F")


class Severity(StrEnum):
    """What happens to a row that breaks a rule: it is kept out, or let in and marked."""

    REJECT = "reject"
    FLAG = "flag"


@dataclass(frozen=True)
class Rule(Generic[F]):
    """One business invariant.

    `holds` says what must be true, over the facts of a subject. The rule is broken only where that is
    definitely false (SQL's CHECK semantics): unknown passes. `replaces` names the places in the old SQL or
    its data tests, `model.column`, where the same logic stands.
    """

    code: str
    severity: Severity
    statement: str
    holds: Callable[[F], Fact[bool]]
    replaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.code.isidentifier() or self.code != self.code.upper():
            raise TypeError(f"the rule {self.code!r} needs a code of capital letters, digits and underscores")
        if not isinstance(self.severity, Severity):
            raise TypeError(f"the rule {self.code} needs Severity.REJECT or Severity.FLAG, not {self.severity!r}")
        _check_places(self.code, self.replaces)

    def broken(self, facts: F) -> Fact[bool]:
        """Return true where the rule is broken; never unknown. Raises TypeError for one that says neither."""
        answer = _fact(self.code, self.holds(facts))
        if isinstance(answer, Scalar) and not isinstance(answer.value, bool | None):
            raise TypeError(f"{self.code} returns {answer!r}, and not true, false or unknown: return a comparison")
        return answer.is_false()


@dataclass(frozen=True)
class Derivation(Generic[F]):
    """One attribute that the business computes; `name` is its column, calling it gives its value."""

    name: str
    statement: str
    compute: Callable[[F], Fact[Any]]
    replaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_places(self.name, self.replaces)

    def __call__(self, facts: F) -> Fact[Any]:
        """Return the derived value over `facts`."""
        return _fact(self.name, self.compute(facts))


class Aggregation(StrEnum):
    """How a roll-up aggregates the values of an aggregate's parts; missing values do not count."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class Rollup(Generic[F]):
    """One attribute of an aggregate that is aggregated from its parts, e.g. an order's total from its items.

    `of` reads one part. `empty` is the value of an aggregate without parts.
    """

    name: str
    aggregation: Aggregation
    of: Callable[[F], Fact[Any]]
    empty: object

    def over(self, parts: Iterable[F]) -> Any:
        """Return the aggregated value of `parts`, the facts of one aggregate's objects.

        Raises OverflowError where whole numbers add up to more than 64 bits hold: no engine has a column for it.
        """
        values = [cast(Scalar[Any], self.of(part)).value for part in parts]
        known = [value for value in values if value is not None]
        if self.aggregation is Aggregation.COUNT:
            return len(known)
        if self.aggregation is Aggregation.DISTINCT:
            return len(set(known))
        total = sum(known, start=cast(Any, self.empty))
        if isinstance(total, int) and not -(2**63) <= total < 2**63:
            raise OverflowError(f"{self.name} adds up to {total}, which is more than 64 bits hold")
        return total


@dataclass(frozen=True)
class Violation:
    """A rule that a subject breaks: which rule, and which subject (`order 3f2a`, `item 2 of order 3f2a`)."""

    code: str
    severity: Severity
    statement: str
    subject: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.code}: {self.statement}"


class RulesBroken(ValueError):  # noqa: N818 - the domain's word: what happened, not an error class
    """Raised by an aggregate that refuses to exist or to change; carries every rule that was broken."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(map(str, violations)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the broken rules, in the rulebook's order."""
        return tuple(violation.code for violation in self.violations)


@dataclass(frozen=True)
class Rulebook(Generic[F]):
    """Every rule and derivation of one subject (an order, an item), over its facts dataclass."""

    context: str
    subject: str
    table: str
    facts: type[F]
    rules: tuple[Rule[F], ...]
    derivations: tuple[Derivation[F], ...] = ()

    def __post_init__(self) -> None:
        where = f"the rulebook of {self.table} ({self.context})"
        if not (isinstance(self.facts, type) and is_dataclass(self.facts)):
            called = getattr(self.facts, "__name__", repr(self.facts))
            raise TypeError(f"{where} needs facts that are a dataclass, and {called} is none")
        for kind, listed in ((Rule, self.rules), (Derivation, self.derivations)):
            word = kind.__name__.lower()
            if not isinstance(listed, tuple):
                raise TypeError(f"{where} needs a tuple of {word}s; one alone has a comma behind it: (is_paid,)")
            for one in listed:
                if not isinstance(one, kind):
                    called = next((found for name in _CALLED if (found := getattr(one, name, ""))), one)
                    raise TypeError(f"{where} holds {called!r}, which is no {word}; decorate it: @{word}(...)")
        names = [*(rule.code for rule in self.rules), *(derivation.name for derivation in self.derivations)]
        read = [name.casefold() for name in names]  # as a database reads them
        if twice := [name for name in names if read.count(name.casefold()) > 1]:
            raise TypeError(f"{where} has {twice[0]} twice; call one of them otherwise")

    def violations(self, facts: F, subject: str) -> list[Violation]:
        """Return every rule that one object breaks, rejecting and flagging alike, in the book's order."""
        return [
            Violation(rule.code, rule.severity, rule.statement, subject)
            for rule in self.rules
            if cast(Scalar[bool], rule.broken(facts)).value
        ]

    def derived(self, facts: F) -> dict[str, Any]:
        """Return the derived attributes of one object, by name."""
        return {derivation.name: cast(Scalar[Any], derivation(facts)).value for derivation in self.derivations}


_CALLED = ("__name__", "code", "name")
"""What a function, a rule and a derivation are called by."""


def rule(
    code: str, severity: Severity, *, replaces: tuple[str, ...] = ()
) -> Callable[[Callable[[F], Fact[bool]]], Rule[F]]:
    """Make a rule of a function that says what must hold; its docstring's first line is the statement."""

    def decorate(holds: Callable[[F], Fact[bool]]) -> Rule[F]:
        return Rule(code, severity, _statement(holds), holds, replaces)

    return decorate


def derivation(
    *, name: str | None = None, replaces: tuple[str, ...] = ()
) -> Callable[[Callable[[F], Fact[Any]]], Derivation[F]]:
    """Make a derivation of a function.

    The function's name is the column's unless `name` says otherwise; the first line of its docstring is the
    statement.
    """

    def decorate(compute: Callable[[F], Fact[Any]]) -> Derivation[F]:
        return Derivation(name or compute.__name__, _statement(compute), compute, replaces)

    return decorate


def _fact(name: str, answer: Fact[Any]) -> Fact[Any]:
    """Return what a function over facts answered; raises TypeError where that is none."""
    if not isinstance(answer, Fact):
        raise TypeError(f"{name} returns {answer!r}, and not a fact: return what a comparison or choose() gives")
    return answer


def _check_places(name: str, replaces: tuple[str, ...]) -> None:
    """Raise TypeError where something else than a tuple is given: a text alone would be one of letters."""
    if not isinstance(replaces, tuple):
        raise TypeError(f"{name} needs a tuple of places for `replaces`: replaces=({replaces!r},)")


def _statement(function: Callable[..., object]) -> str:
    if not function.__doc__:
        raise TypeError(f"{function.__name__} needs a docstring: its first line is the statement of the rule")
    return function.__doc__.strip().splitlines()[0]
