"""What an audit is made of: findings, technical CASEs, problems and groups of copies.

What belongs here: immutable values and their JSON form. What does not: anything that finds or judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SECONDS_A_FILE = 5.0
"""So long a file may take, where nobody says otherwise."""


class Kind(StrEnum):
    """What a piece of business logic does."""

    CLASSIFICATION = "classification"
    VALIDATION = "validation"
    FLAG = "flag"
    DEFAULT = "default"
    SCORING = "scoring"
    MAGIC_NUMBER = "magic number"


class Clause(StrEnum):
    """Where in a query a piece of logic stands."""

    SELECT = "select"
    WHERE = "where"
    HAVING = "having"
    QUALIFY = "qualify"
    JOIN = "join"
    SET = "set"
    TEST = "test"


class Level(StrEnum):
    """How complex, or how urgent."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class State(StrEnum):
    """What has become of a finding."""

    OPEN = "open"
    MIGRATED = "migrated"
    WAIVED = "waived"


@dataclass(frozen=True)
class Metrics:
    """What complexity is measured by.

    branches: WHENs, ELSEs that hold a value left out. nesting: CASEs inside CASEs, 0 where there is none.
    predicates: comparisons. tables: relations whose columns are read, 1 at least.
    """

    branches: int
    nesting: int
    predicates: int
    tables: int


@dataclass(frozen=True)
class Shape:
    """The normal form of a piece of logic, which copies of it share.

    normal: all of it. skeleton: the same with `?` for every number that is compared or computed with.
    columns: what is read, without aliases. labels: the texts that it can result in. name: the words of the output
    column that tell what it is about.
    """

    normal: str
    skeleton: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    name: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One piece of business logic in SQL.

    file: relative to what was audited; line: in that file, from 1. column: the output column, or for a filter the
    column that it looks at. cases: how many CASE expressions it holds. statement: a draft of the rule in words.
    origins: where its columns come from, as `origins` writes them; none where nobody asked for them.
    """

    file: str
    line: int
    model: str
    clause: Clause
    column: str
    kind: Kind
    sql: str
    statement: str
    inputs: tuple[str, ...]
    cases: int
    metrics: Metrics
    shape: Shape
    origins: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Return `model.column`, by which rules and waivers name it."""
        return f"{self.model}.{self.column}"


@dataclass(frozen=True)
class Technical:
    """A CASE that is no business logic, and why; cases: how many CASE expressions it holds itself."""

    file: str
    line: int
    model: str
    column: str
    sql: str
    reason: str
    cases: int


@dataclass(frozen=True)
class Problem:
    """Something that could not be read; line is None where no line can be told."""

    file: str
    line: int | None
    message: str


@dataclass(frozen=True)
class FileAudit:
    """What one file holds; context: the bounded context that its SQL names, '' where it names none.

    pivots: picks of the rows of one value, which are technical unless their name is defined otherwise elsewhere.
    is_off: whether the project has switched it off, so that it was not looked into.
    """

    file: str
    findings: tuple[Finding, ...] = ()
    technical: tuple[Technical, ...] = ()
    problems: tuple[Problem, ...] = ()
    context: str = ""
    pivots: tuple[Finding, ...] = ()
    is_off: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it in a form that JSON knows."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> FileAudit:
        """Return what `to_dict` gave, also after a way through JSON."""
        return cls(
            value["file"],
            tuple(map(_finding, value["findings"])),
            tuple(Technical(**item) for item in value["technical"]),
            tuple(Problem(**item) for item in value["problems"]),
            value.get("context", ""),
            tuple(map(_finding, value.get("pivots", ()))),
            value.get("is_off", False),
        )


@dataclass(frozen=True)
class Copies:
    """Findings that say the same (`exact`), or nearly the same with other thresholds or branches."""

    exact: bool
    findings: tuple[Finding, ...]
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A finding with its judgement: complexity, priority, copies, context and what has become of it.

    copies: how many times the logic stands in the project, this one included. why: what its priority comes from. by:
    the rules that replaced it, or the reason for which it stays.
    """

    finding: Finding
    context: str
    complexity: Level
    priority: Level
    copies: int
    near_copies: int
    why: str = ""
    state: State = State.OPEN
    by: str = ""


@dataclass(frozen=True)
class Audit:
    """The whole of it; files is how many files of SQL were looked at.

    why: how the dialect is known. warnings: what a person should know who reads the report, a sentence each.
    """

    root: str
    dialect: str
    files: int
    entries: tuple[Entry, ...]
    technical: tuple[Technical, ...]
    problems: tuple[Problem, ...]
    copies: tuple[Copies, ...]
    contexts: Mapping[str, str]
    why: str = ""
    warnings: tuple[str, ...] = ()


def _finding(value: Mapping[str, Any]) -> Finding:
    shape: dict[str, Any] = {
        name: part if isinstance(part, str) else tuple(part) for name, part in value["shape"].items()
    }
    return Finding(
        **{
            **value,
            "clause": Clause(value["clause"]),
            "kind": Kind(value["kind"]),
            "inputs": tuple(value["inputs"]),
            "origins": tuple(value["origins"]),
            "metrics": Metrics(**value["metrics"]),
            "shape": Shape(**shape),
        }
    )
