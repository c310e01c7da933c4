"""Every rule and derivation as an entry: what it says, what it replaces, where it stands and where it is tested.

What belongs here: reading the rulebooks, the structural rules and the tests. What does not: printing entries
(`rules` and `rules_page`), and any statement of a rule, which stands with the rule.
"""

from __future__ import annotations

import ast
import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from olist_domain.kernel.rules import Derivation, Rule, Rulebook, Severity
from olist_pipeline.errors import OlistError
from olist_pipeline.intake import codes
from olist_pipeline.intake.codes import STRUCTURAL_RULES, StructuralRule
from olist_pipeline.migration.load import present_migration
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import PROJECT_DIR

TESTS = PROJECT_DIR / "tests"
"""The folder of the tests. An installed package comes without them."""

DOMAIN = "olist_domain."


class EntryKind(StrEnum):
    """What an entry is."""

    RULE = "rule"
    DERIVATION = "derivation"
    STRUCTURAL = "structural rule"


@dataclass(frozen=True)
class RuleEntry:
    """One rule, derivation or structural rule.

    `name` is the code of a rule and the column of a derivation. `details` is what a docstring says beyond the
    statement. `constants` are the named values that the function uses, itself or through others, as text by name.
    `tested_in` names test files; it is None where there are no tests to look in. A structural rule is of no
    context and no table: it holds for rows of every landing file that it can be asked of.
    """

    kind: EntryKind
    name: str
    context: str | None
    subject: str
    table: str | None
    severity: Severity | None
    statement: str
    details: str
    constants: dict[str, str]
    replaces: tuple[str, ...]
    defined_in: str
    tested_in: tuple[str, ...] | None

    def is_called(self, name: str) -> bool:
        """Return whether `name` is the entry's, e.g. MISSING_ORDER_ID that of MISSING_<COLUMN>."""
        return name == self.name or any(rule.covers(name) for rule in STRUCTURAL_RULES if rule.code == self.name)


def all_entries(tests: Path = TESTS) -> list[RuleEntry]:
    """Return the entries of all contexts, book by book, rules first, and then the structural rules."""
    structural_tests = words_by_file(tests, "pipeline/intake", "pipeline/contexts")
    entries: list[RuleEntry] = []
    for context in CONTEXTS.values():
        words = _words_of(context.name, tests)
        for book in context.rulebooks:
            entries += [_entry(book, rule, words) for rule in book.rules]
            entries += [_entry(book, derivation, words) for derivation in book.derivations]
    return [*entries, *(_structural_entry(rule, structural_tests) for rule in STRUCTURAL_RULES)]


def _words_of(context: str, tests: Path) -> dict[str, set[str]] | None:
    """Return the words in the test files of a context: another warehouse has its tests beside its migration file."""
    migration = present_migration()
    if migration.is_olists:
        return words_by_file(tests, f"domain/{context}")
    return words_by_file(migration.path.parent / "tests", "")


def words_by_file(tests: Path, *folders: str) -> dict[str, set[str]] | None:
    """Return the names and texts in each test file of `folders` of `tests`, by path; None without tests.

    Paths begin with the name of the folder of tests. Texts are taken apart at commas, as lists of codes are
    written. What is only imported does not count.
    """
    if not tests.is_dir():
        return None
    files = [file for folder in folders for file in sorted((tests / folder).rglob("test_*.py"))]
    return {file.relative_to(tests.parent).as_posix(): set(_words(file)) for file in files}


def constants_of(function: Callable[..., Any], within: frozenset[object] = frozenset()) -> dict[str, str]:
    """Return the constants of the domain that a function uses, itself or through functions it calls, by name.

    `within` are those that call it: one may call itself.
    """
    if not isinstance(function, FunctionType) or not function.__module__.startswith(DOMAIN) or function in within:
        return {}
    found: dict[str, str] = {}
    for name, value in _globals_of(function):
        if isinstance(value, Rule | Derivation | FunctionType):
            found |= constants_of(_function_of(value), within | {function})
        elif name.isupper() and isinstance(value, int | float | str | Decimal | tuple):
            found[name] = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def _entry(book: Rulebook[Any], item: Rule[Any] | Derivation[Any], tests: dict[str, set[str]] | None) -> RuleEntry:
    function = _function_of(item)
    name = item.code if isinstance(item, Rule) else item.name
    return RuleEntry(
        kind=EntryKind.RULE if isinstance(item, Rule) else EntryKind.DERIVATION,
        name=name,
        context=book.context,
        subject=book.subject,
        table=book.table,
        severity=item.severity if isinstance(item, Rule) else None,
        statement=item.statement,
        details=inspect.cleandoc(function.__doc__ or "").partition("\n")[2].strip(),
        constants=constants_of(function),
        replaces=item.replaces,
        defined_in=f"{_path_of(function.__module__)}:{function.__name__}",
        tested_in=_mentioning(tests, lambda word: word in (name, function.__name__)),
    )


def _structural_entry(rule: StructuralRule, tests: dict[str, set[str]] | None) -> RuleEntry:
    [constant] = (name for name, value in vars(codes).items() if value is rule)
    return RuleEntry(
        kind=EntryKind.STRUCTURAL,
        name=rule.code,
        context=None,
        subject="row of a landing file",
        table=None,
        severity=Severity.REJECT,
        statement=rule.statement,
        details="",
        constants={},
        replaces=(),
        defined_in=f"{_path_of(codes.__name__)}:{constant}",
        tested_in=_mentioning(tests, rule.covers),
    )


def _function_of(item: Rule[Any] | Derivation[Any] | FunctionType) -> Callable[..., Any]:
    if isinstance(item, Rule):
        return item.holds
    return item.compute if isinstance(item, Derivation) else item


def _path_of(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _mentioning(tests: dict[str, set[str]] | None, is_meant: Callable[[str], bool]) -> tuple[str, ...] | None:
    if tests is None:
        return None
    return tuple(file for file, words in tests.items() if any(map(is_meant, words)))


def _words(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else error
        raise OlistError(f"{file}{line} cannot be read ({said}), to see which rules it tests; mend it there.") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (part.strip() for part in node.value.split(","))


def _globals_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names that a function reads of its module, or of a module that it reads, with their values."""
    for code in _codes_within(function.__code__):
        for this, following in pairwise(dis.get_instructions(code)):
            if this.opname != "LOAD_GLOBAL":
                continue
            value = function.__globals__.get(this.argval)
            if isinstance(value, ModuleType):
                yield following.argval, getattr(value, following.argval)
            else:
                yield this.argval, value


def _codes_within(code: CodeType) -> Iterator[CodeType]:
    """Yield compiled code and that of its comprehensions and lambdas."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_within(constant)
