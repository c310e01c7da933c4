"""Making mutants with Cosmic Ray, and leaving out those that change no behaviour.

What belongs here: which mutants there are, and a sample of them. What does not: trying them.
"""

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec

SAME = re.compile(r"_(Is_Eq|IsNot_NotEq)$")
"""Equality in the place of identity, which the code asks of None, truth values and members alone: there they are one.
The reverse is a change, for equal amounts, moments and texts need not be one object, and so is every other."""
PASSIVE_DECORATORS = ("abstractmethod", "cache", "lru_cache", "overload", "override")


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    made: MutationSpec

    @property
    def module(self) -> Path:
        """The file of the module."""
        return Path(self.made.module_path)

    @property
    def line(self) -> int:
        """The line of the change."""
        return int(self.made.start_pos[0])

    @property
    def name(self) -> str:
        """What tells it from all others of the same tree."""
        return f"{self.made.module_path} {self.made.operator_name} {self.made.operator_args} {self.made.occurrence}"

    @property
    def place(self) -> tuple[Path, tuple[int, int]]:
        """Where the change is, to the column."""
        return self.module, self.made.start_pos

    @cached_property
    def source(self) -> str | None:
        """The module with the change; None where there is none that compiles.

        Cosmic Ray takes the stars of `**rows` for a power, and cannot replace an exception with a dot in its name.
        """
        operator = get_operator(self.made.operator_name)(**self.made.operator_args)
        try:
            source: str = mutate_code(self.module.read_text(), operator, self.made.occurrence)
            compile(source, "mutant", "exec")
        except (SyntaxError, AttributeError):
            return None
        return source


def passive(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the annotations, variables of types and decorators of a module that do nothing when it runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "TypeVar":
            yield node
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(each): each for each in node.decorator_list}
            # Nobody calls what is abstract: what overrides it has decorators of its own.
            is_abstract = "abstractmethod" in decorators
            yield from (each for name, each in decorators.items() if is_abstract or name in PASSIVE_DECORATORS)


def changes_nothing(mutation: MutationSpec, places: list[ast.expr]) -> bool:
    """Return whether a mutant is known to behave as the code does."""
    if SAME.search(mutation.operator_name):
        return True
    row, column = mutation.start_pos
    if mutation.operator_name == "core/RemoveDecorator":
        column += 1  # the `@` is no part of the expression
    return any(
        (node.lineno, node.col_offset) <= (row, column) < (node.end_lineno, node.end_col_offset) for node in places
    )


def mutants_of(folder: str) -> list[Mutant]:
    """Return all mutants of a folder or module, in a fixed order."""
    path = Path(folder)
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    found = []
    for module in modules:
        places = list(passive(ast.parse(module.read_text())))
        with use_db(":memory:", WorkDB.Mode.create) as database:
            init([module], database, {})
            made = [mutation for item in database.work_items for mutation in item.mutations]
        found += [mutation for mutation in made if not changes_nothing(mutation, places)]
    found.sort(key=lambda mutation: (str(mutation.module_path), mutation.operator_name, mutation.occurrence))
    return [Mutant(mutation) for mutation in found]


def drawn_from(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return one mutant each of `count` places, drawn at random: a single `+` has eleven mutants that fail alike."""
    drawn: dict[object, Mutant] = {}
    for mutant in random.Random(seed).sample(mutants, len(mutants)):
        if mutant.place not in drawn and mutant.source is not None:
            drawn[mutant.place] = mutant
        if len(drawn) == count:
            break
    return list(drawn.values())
