"""Where the columns of a query come from, through its CTEs and subqueries.

What belongs here: the origin of a column, and what is known of the relation it comes from. What does not: what a
column means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import PurePosixPath

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from olist_pipeline.audit.calendars import DATE_PART_NAME, is_calendar_test, is_date_part
from olist_pipeline.audit.expressions import (
    PREDICATES,
    TRUNCATIONS,
    Node,
    bare,
    columns_of,
    computes,
    is_clock,
    is_constant,
    nodes_within,
)

MAX_STEPS = 40
RANKS = (exp.Ntile, exp.PercentRank, exp.CumeDist, exp.RowNumber, exp.Rank, exp.DenseRank)
NUMBERERS = (exp.RowNumber, exp.Rank, exp.DenseRank)
NUMBERER_NAME = re.compile(r"^_?_?((rn|rnk|row_?(no|num(ber)?|rank)|rank_?number|seqnum)(_\w+|\d*)|dedup\w*)$")
SUM_NAME = re.compile(r"(^|_)(n|num|number|total|count|cnt|sum|qty|quantity)(_|$)|(^|_)number_of_")


@dataclass(frozen=True)
class Origin:
    """Where a column comes from.

    name: the column's name there. expression: what computes it, None where it is read from a table as it is.
    table: the table it is read from, '' where that is not known. query: where the expression stands. summed: finds out
    what `is_summed` says.
    """

    name: str
    expression: Node | None = None
    table: str = ""
    summed: Callable[[], bool] = lambda: False
    query: Query | None = None

    @cached_property
    def is_summed(self) -> bool:
        """Whether it comes from a relation that a join may leave out and that has one row a group.

        To find out may take reading other models.
        """
        return self.summed()


Sums = Callable[[str, str], bool | None]
"""Whether a column of a relation elsewhere in the project is a sum, by their names; None where nobody knows."""


@dataclass(frozen=True)
class Around:
    """What is known beside a statement: other models, and which of its expressions its own file writes, no macro.

    origins: of a column of another model (see `origins`), None where nobody asks for any. is_incremental: the
    statement adds to a table that is there.
    """

    sums: Sums = lambda relation, column: None
    origins: Callable[[str, str], tuple[str, ...] | None] | None = None
    is_written: Callable[[Node], bool] = lambda node: True
    is_incremental: bool = False


NOTHING_AROUND = Around()


class Query:
    """One SELECT with the relations that it reads."""

    def __init__(self, select: exp.Select, scope: Scope | None, around: Around = NOTHING_AROUND) -> None:
        self.select = select
        self.scope = scope
        self.around = around
        self._origins: dict[tuple[str, str], Origin] = {}

    @property
    def joins(self) -> list[exp.Join]:
        """Return its joins."""
        return list(self.select.args.get("joins") or [])

    def origin(self, column: exp.Column) -> Origin:
        """Return where a column comes from, as far as the statement tells."""
        key = column.table, column.name
        if key not in self._origins:
            self._origins[key] = _origin(column, self.scope, 0, lambda: False, self.around.sums)
        return self._origins[key]

    def beside(self, column: exp.Column) -> Node | None:
        """Return what this very SELECT computes under the name of a column, which many dialects let it read."""
        same = (item.this for item in self.select.selects if item.alias.lower() == column.name.lower())
        found = next(same, None) if not column.table else None
        # `trim(a) as a`: what is read elsewhere by that name is the column itself.
        is_own = found is not None and all(part.name.lower() != column.name.lower() for part in columns_of(found))
        return found if is_own else None

    def is_row_number(self, node: Node) -> bool:
        """Return whether an expression is the number of a row within a group, by its window or by its name."""
        node = bare(node)
        if isinstance(node, exp.Window):
            return isinstance(node.this, NUMBERERS)
        if not isinstance(node, exp.Column):
            return False
        own = self.beside(node)
        if own is not None and isinstance(bare(own), exp.Window):
            return self.is_row_number(own)
        found = self.origin(node).expression
        if found is not None and isinstance(bare(found), exp.Window):
            return self.is_row_number(found)
        return NUMBERER_NAME.match(node.name.lower()) is not None

    def is_calendar_test(self, condition: Node) -> bool:
        """Return whether a comparison looks at nothing but a part of a date, here or where its column comes from."""
        if is_calendar_test(condition) or self._asks_for_today(condition):
            return True
        read = columns_of(condition)
        if len(read) != 1 or not isinstance(bare(condition), PREDICATES):
            return False
        found = self.origin(read[0]).expression
        return DATE_PART_NAME.search(read[0].name.lower()) is not None or (found is not None and is_date_part(found))

    def _asks_for_today(self, condition: Node) -> bool:
        """Return whether a comparison asks whether a day, a week or another span is that of the clock."""
        test = bare(condition)
        if not isinstance(test, exp.EQ) or is_constant(test):
            return False
        return any(_is_span_of_today(side, self) for side in (test.this, test.expression))

    def is_computed(self, column: exp.Column, steps: int = 0) -> bool:
        """Return whether a column is the result of a computation in this statement, not a cell of a table."""
        origin = self.origin(column)
        if origin.expression is None or origin.query is None or steps > MAX_STEPS:
            return False
        parts = list(nodes_within(origin.expression))
        return any(map(computes, parts)) or any(
            origin.query.is_computed(part, steps + 1) for part in parts if isinstance(part, exp.Column)
        )

    @cached_property
    def optional_relations(self) -> frozenset[str]:
        """The names of the relations of which an outer join may leave a row out."""
        found: set[str] = set()
        before = [_relation_name(self.select.args.get("from_") or self.select.args.get("from"))]
        for join in self.joins:
            name = join.this.alias_or_name
            side = (join.side or "").upper()
            if side in ("LEFT", "FULL"):
                found.add(name)
            if side in ("RIGHT", "FULL"):
                found.update(before)
            before.append(name)
        return frozenset(name.lower() for name in found if name)


def _is_span_of_today(node: Node, query: Query) -> bool:
    """Return whether an expression is the present day, or the week, month or year that it is in."""
    node = bare(node)
    if isinstance(node, TRUNCATIONS):
        return _is_span_of_today(node.this, query)
    if not isinstance(node, exp.Column):
        return is_clock(node)
    beside = query.beside(node)
    if beside is not None and not columns_of(beside):
        return _is_span_of_today(beside, query)
    found = query.origin(node)
    return found.expression is not None and found.query is not None and _is_span_of_today(found.expression, found.query)


def queries(tree: Node, around: Around) -> list[Query]:
    """Return every SELECT of a statement, in an order that does not depend on the machine."""
    scopes: dict[int, Scope] = {}
    for outer in _outermost_queries(tree):
        try:
            scopes |= {id(scope.expression): scope for scope in traverse_scope(outer)}
        except (SqlglotError, AttributeError, RecursionError):
            continue  # names that clash: the query is looked at without the origin of its columns
    return [Query(select, scopes.get(id(select)), around) for select in tree.find_all(exp.Select, bfs=False)]


def _outermost_queries(tree: Node) -> Iterator[exp.Query]:
    if isinstance(tree, exp.Query):
        yield tree
        return
    for part in tree.iter_expressions():
        yield from _outermost_queries(part)


def _selected(scope: Scope) -> Collection[str]:
    """Return the names that FROM and JOIN give; none where two are the same, which sqlglot does not take."""
    try:
        return scope.selected_sources
    except SqlglotError:
        return ()


def _table_name(table: exp.Table) -> str:
    """Return the name of a table, or of the file that is read in its place."""
    if isinstance(table.this, exp.Func):
        texts = (part.name for part in table.this.find_all(exp.Literal) if part.is_string)
        return next((PurePosixPath(text).name.lower() for text in texts if "." in text), "")
    return table.name.lower()


def _relation_name(source: Node | None) -> str:
    return source.this.alias_or_name if source is not None and source.this is not None else ""


def _origin(column: exp.Column, scope: Scope | None, steps: int, summed: Callable[[], bool], sums: Sums) -> Origin:
    unknown = Origin(column.name.lower(), None, "", summed)
    if scope is None or steps > MAX_STEPS:
        return unknown
    name = column.table or _only_source(scope, column.name)
    source = scope.sources.get(name)
    if source is None:
        return unknown
    if isinstance(scope.expression, exp.Select):
        outer = Query(scope.expression, scope).optional_relations
        if name.lower() in outer:
            summed = partial(is_summed, source, column.name, sums)
    if not isinstance(source, Scope):
        return Origin(column.name.lower(), None, _table_name(source), summed)
    found, inner = projection(source, column.name, steps)
    if found is None:
        return Origin(column.name.lower(), None, "", summed)
    if isinstance(bare(found), exp.Column):
        return _origin(bare(found), inner, steps + 1, summed, sums)  # type: ignore[arg-type]
    where = Query(inner.expression, inner) if isinstance(inner.expression, exp.Select) else None
    return Origin(column.name.lower(), found, "", summed, where)


def _only_source(scope: Scope, column: str) -> str:
    """Return the source that an unqualified column must be of: the only one, or the only one that names it."""
    names = [name for name in scope.sources if name in _selected(scope)] or list(scope.sources)
    if len(names) == 1:
        return names[0]
    found = {name: projection(source, column)[0] for name in names if isinstance(source := scope.sources[name], Scope)}
    naming = [name for name, said in found.items() if said is not None]
    # A star over a table whose columns nobody knows may hold it; what names it does.
    sure = [name for name, said in found.items() if said is not None and said.parent is not None]
    return next((one[0] for one in (naming, sure) if len(one) == 1), "")


def projection(scope: Scope, name: str, steps: int = 0) -> tuple[Node | None, Scope]:
    """Return what a relation gives as a column, and the scope to read that in; None where it cannot be told.

    `steps` led there: beyond `MAX_STEPS` nobody follows.
    """
    if steps > MAX_STEPS:
        return None, scope
    if isinstance(scope.expression, exp.SetOperation) and scope.set_operation_scopes:
        return projection(scope.set_operation_scopes[0], name, steps + 1)
    if not isinstance(scope.expression, exp.Select):
        return None, scope
    for item in scope.expression.selects:
        if item.alias_or_name.lower() == name.lower() and not isinstance(item, exp.Star):
            return (item.this if isinstance(item, exp.Alias) else item), scope
        replaced = _replaced(item, name)
        if replaced is not None:
            return replaced, scope
    for item in scope.expression.selects:
        if item.is_star:
            found = _through_star(scope, item, name, steps)
            if found is not None:
                return found
    return None, scope


def _replaced(item: Node, name: str) -> Node | None:
    star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
    replacements = (star.args.get("replace") or star.args.get("replace_") or []) if star is not None else []
    return next((part.this for part in replacements if part.alias.lower() == name.lower()), None)


def _through_star(scope: Scope, star: Node, name: str, steps: int) -> tuple[Node | None, Scope] | None:
    table = star.table if isinstance(star, exp.Column) else ""
    names = [table] if table else [source for source in scope.sources if source in _selected(scope)]
    for source_name in names:
        source = scope.sources.get(source_name)
        if isinstance(source, Scope):
            found, inner = projection(source, name, steps + 1)
            if found is not None:
                return found, inner
        elif source is not None and len(names) == 1:
            return exp.column(name, table=source_name), scope
    return None


def is_summed(source: object, column: str, sums: Sums) -> bool:
    """Return whether a relation has one row a group, so that a missing row means: there is nothing to sum up.

    Of a relation that no model defines only the name of the column can tell.
    """
    if not isinstance(source, Scope):
        known = sums(source.name, column) if isinstance(source, exp.Table) else None
        return SUM_NAME.search(column.lower()) is not None if known is None else known
    query = source.expression
    if isinstance(query, exp.SetOperation):
        return all(is_summed(part, column, sums) for part in source.set_operation_scopes or [])
    if not isinstance(query, exp.Select):
        return False
    if query.args.get("group") or any(
        relation.args.get("pivots") for relation in query.find_all(exp.Table, exp.Subquery)
    ):
        return True
    if query.selects and all(isinstance(bare(item), exp.AggFunc) for item in query.selects):
        return True
    inner = [source.sources[name] for name in _selected(source) if name in source.sources]
    return len(inner) == 1 and is_summed(inner[0], column, sums)


def gives_sum(scope: Scope, column: str, sums: Sums, steps: int = 0) -> bool | None:
    """Return whether a query's output column is a sum, a count or a computation of such; None where it has none."""
    found, inner = projection(scope, column)
    if found is None:
        return None
    if bare(found).find(*RANKS):
        return False
    if found.find(exp.AggFunc):
        return True
    parts = [part for part in nodes_within(found) if isinstance(part, exp.Column)]
    return bool(parts) and all(_is_sum_within(part, inner, sums, steps) for part in parts)


def _is_sum_within(column: exp.Column, scope: Scope, sums: Sums, steps: int) -> bool:
    name = column.table or _only_source(scope, column.name)
    source = scope.sources.get(name)
    if isinstance(source, Scope) and steps < MAX_STEPS:
        return bool(gives_sum(source, column.name, sums, steps + 1))
    return isinstance(source, exp.Table) and bool(sums(source.name, column.name))
