"""Copies: the same logic in several places, and nearly the same with other thresholds or branches.

What belongs here: comparing findings by their normal forms. What does not: the normal form (`normal`).

Near copies are the dangerous ones: VIP at 10 orders here and at 5 there. Two findings are near copies when they
are no exact copies and

- differ in numbers alone, and have the same labels, or the same name where there are no labels; or
- have the same name or share half of their labels, and share a column that they read or a limit; without labels they
  must also be made of nearly the same parts; or
- have the same limits, two at least, on columns of the same name, and other labels.

A pivot that has the name of a finding with another definition is one of two definitions of that name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import combinations

from olist_pipeline.audit.expressions import words_in
from olist_pipeline.audit.model import Clause, Copies, Finding, Kind, Shape

LEAST_SHARED = 0.5
LEAST_ALIKE = 0.3
LIMITS_THAT_TELL = 2
DULL_WORDS = frozenset(
    {"id", "at", "on", "is", "of", "date", "day", "time", "ts", "timestamp", "customer", "order", "total"}
)
LABELS_THAT_TELL = 2
"""So many labels tell what a CASE is about, whatever its columns are called."""

TOKEN = re.compile(r"'(?:[^']|'')*'|[\w.]+|<=|>=|[<>=]")


def groups_of_copies(findings: Sequence[Finding]) -> list[Copies]:
    """Return the exact copies, the largest group first, and then the near copies, each group of them once."""
    by_form: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if can_be_copied(finding) or _names_its_column(finding):
            by_form[form_of(finding)].append(finding)
    exact = [Copies(True, tuple(group)) for group in by_form.values() if len(group) > 1 and can_be_copied(group[0])]
    near = [
        Copies(False, tuple(group[0] for group in groups), _differences([group[0] for group in groups]))
        for groups in _near_groups(list(by_form.values()))
    ]
    return [*sorted(near, key=lambda copies: -len(copies.findings)), *sorted(exact, key=lambda c: -len(c.findings))]


def pivots_that_differ(findings: Sequence[Finding], pivots: Sequence[Finding]) -> list[Finding]:
    """Return the pivots whose name is also that of a finding, so that one name has two definitions."""
    named: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        if finding.clause is Clause.SELECT and finding.kind in (Kind.FLAG, Kind.CLASSIFICATION, Kind.VALIDATION):
            named[finding.column.lower()].add(finding.shape.normal)
    return [pivot for pivot in pivots if named[pivot.column.lower()] - {pivot.shape.normal}]


def can_be_copied(finding: Finding) -> bool:
    """Return whether logic says enough to be called a copy: a cast and a filter for presence do not."""
    normal = finding.shape.normal
    if normal.startswith(("trycast(", "not(is(", "is(")):
        return False
    # Columns that are compared with each other tell enough: `delivered <= estimated`.
    return any(sign in normal for sign in "0123456789'<>") or len(finding.shape.columns) > 1


def _names_its_column(finding: Finding) -> bool:
    """Return whether a finding is a definition of a column, though it only asks whether a value is there."""
    return finding.clause is Clause.SELECT and finding.kind is not Kind.DEFAULT and not _casts(finding.shape)


def form_of(finding: Finding) -> str:
    """Return the form that exact copies share: with labels enough, whatever their columns are called."""
    shape = finding.shape
    if len(shape.labels) < LABELS_THAT_TELL:
        return shape.normal
    return _without_columns(shape.normal, shape.columns)


def _without_columns(text: str, columns: Iterable[str]) -> str:
    """Return a form with its columns numbered in the order in which they stand."""
    names = set(columns)
    numbers: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        word = found[0]
        return numbers.setdefault(word, f"${len(numbers) + 1}") if word in names else word

    return TOKEN.sub(numbered, text)


def _near_groups(groups: list[list[Finding]]) -> list[list[list[Finding]]]:
    """Return groups of exact copies that are near each other, each joined with all that are near one of it."""
    parent = list(range(len(groups)))
    traits = [Traits(group[0]) for group in groups]

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    # What hangs together already need not be compared: a label that thousands share costs no more for it.
    for one, other in _candidates(traits):
        if root(one) != root(other) and are_near(traits[one], traits[other]):
            parent[root(other)] = root(one)
    joined: dict[int, list[list[Finding]]] = defaultdict(list)
    for number, group in enumerate(groups):
        joined[root(number)].append(group)
    return [found for found in joined.values() if len(found) > 1]


class Traits:
    """What two findings are compared by, made once of each."""

    def __init__(self, finding: Finding) -> None:
        self.shape = finding.shape
        self.kind = finding.kind
        self.is_column = finding.clause is Clause.SELECT
        self.is_default = finding.kind is Kind.DEFAULT
        self.casts = _casts(finding.shape)
        self.name = frozenset(finding.shape.name)
        self.labels = frozenset(finding.shape.labels)
        self.limits = _limits(finding.shape.normal)
        self.parts = _parts(finding.shape)


def _candidates(traits: Sequence[Traits]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that share a skeleton, a name or a label: no others can be near, and most share nothing."""
    sharing: dict[object, list[int]] = defaultdict(list)
    for number, one in enumerate(traits):
        limits = len(one.limits) >= LIMITS_THAT_TELL
        alike = [("limits", one.shape.columns, *sorted(one.limits))] if limits else []
        for key in (one.shape.skeleton, one.name, *(("label", label) for label in one.shape.labels), *alike):
            sharing[key].append(number)
    for numbers in sharing.values():
        yield from combinations(numbers, 2)


def are_near(one: Traits, other: Traits) -> bool:
    """Return whether two definitions are near copies (see the head of this module)."""
    first, second = one.shape, other.shape
    if one.is_column != other.is_column or one.is_default != other.is_default:
        return False
    has_labels = bool(first.labels or second.labels)
    same_subject = first.labels == second.labels if has_labels else one.name == other.name
    if first.skeleton == second.skeleton and same_subject:
        return True
    if not one.is_column or one.kind is Kind.MAGIC_NUMBER or one.casts != other.casts:
        return False
    if len(one.limits) >= LIMITS_THAT_TELL and one.limits == other.limits and first.columns == second.columns:
        return True
    if not (one.parts & other.parts or one.limits & other.limits):
        return False
    if has_labels:
        return _shared(one.labels, other.labels) >= LEAST_SHARED
    return one.name == other.name and _shared(one.parts, other.parts) >= LEAST_ALIKE


def _limits(text: str) -> set[str]:
    """Return the numbers of a form that tell something: neither nothing nor one."""
    return {token for token in TOKEN.findall(text) if token[0].isdigit() and token not in ("0", "1")}


def _words(columns: Iterable[str]) -> set[str]:
    """Return the telling words of some columns: `delivered_at` and `delivered_date` are about the same."""
    return {word for column in columns for word in words_in(column) if word not in DULL_WORDS}


def _casts(shape: Shape) -> bool:
    return "trycast(" in shape.normal


def _parts(shape: Shape) -> set[str]:
    """Return what a form is made of: the words of its columns and texts, its limits, and no signs."""
    texts = (token for token in TOKEN.findall(shape.normal) if token[0] == "'")
    return _words((*shape.columns, *texts)) | _limits(shape.normal)


def _shared(one: Set[str], other: Set[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def _differences(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what sets each finding apart from the first: other numbers, or what one has and the other lacks."""
    return tuple(_difference(findings[0].shape, other.shape) for other in findings[1:])


def _difference(first: Shape, second: Shape) -> str:
    one, other = TOKEN.findall(first.normal), TOKEN.findall(second.normal)
    if first.skeleton == second.skeleton and len(one) == len(other):
        return ", ".join(f"{old} -> {new}" for old, new in zip(one, other, strict=True) if old != new)
    told, others = _telling(first), _telling(second)
    apart = {
        "without": [name for name in told if name not in others],
        "with": [name for name in others if name not in told],
    }
    parts = [f"{word} {', '.join(names)}" for word, names in apart.items() if names]
    return "; ".join(parts) or "the same values, otherwise combined"


def _telling(shape: Shape) -> Set[str]:
    """Return the literals and columns of a form."""
    columns = set(shape.columns)
    tokens = TOKEN.findall(shape.normal)
    return dict.fromkeys(token for token in tokens if token in columns or token[0] == "'" or token[0].isdigit()).keys()
