"""The findings of one SQL text.

What belongs here: walking the queries of a statement, and making findings of the logic in them. What does not:
what is logic (`logic`, `cases`, `filters`), Jinja, and files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlglot import exp

from olist_pipeline.audit.columns import NOTHING_AROUND, Around, Query, queries
from olist_pipeline.audit.expressions import (
    Node,
    case_count,
    column_names,
    columns_of,
    conjuncts,
    is_case,
    is_constant,
    nodes_within,
)
from olist_pipeline.audit.filters import filtered_column, kind_of_filter
from olist_pipeline.audit.logic import Judged, Logic, TechnicalCase, logic_of
from olist_pipeline.audit.metrics import measure
from olist_pipeline.audit.model import Clause, FileAudit, Finding, Kind, Problem, Technical
from olist_pipeline.audit.normal import shape_of
from olist_pipeline.audit.origins import origins_of
from olist_pipeline.audit.pivots import PIVOT
from olist_pipeline.audit.statements import Statement, UnreadableError, statements
from olist_pipeline.audit.words import draft

EPHEMERAL = "__dbt__cte__"
"""How dbt names the CTE of an ephemeral model."""

LineOf = Callable[[int, int, str], int]
"""The line in the original file of an expression: its first and last line in the SQL, and its column."""


@dataclass(frozen=True)
class Place:
    """What is audited: the file, the model that it defines, the dialect, and how lines are found again."""

    file: str
    model: str
    dialect: str
    line_of: LineOf = lambda first, last, column: first
    around: Around = NOTHING_AROUND


def audit_sql(sql: str, place: Place) -> FileAudit:
    """Return the findings of a text of SQL without Jinja."""
    findings: list[Finding] = []
    technical: list[Technical] = []
    problems: list[Problem] = []
    pivots: list[Finding] = []
    for statement in statements(sql, place.dialect):
        if isinstance(statement, Statement):
            _cut_ephemeral(statement.tree)
        if isinstance(statement, UnreadableError):
            line = place.line_of(statement.line, statement.line, "")
            problems.append(Problem(place.file, line, f"This {statement}."))
            continue
        found = Found(statement, place)
        findings += found.findings
        technical += found.technical
        problems += found.problems
        pivots += found.pivots
    return FileAudit(place.file, tuple(findings), tuple(technical), tuple(problems), pivots=tuple(pivots))


def _cut_ephemeral(tree: Node) -> None:
    """Take out the models that dbt put into compiled SQL as CTEs: each is audited where it stands."""
    for cte in list(tree.find_all(exp.CTE)):
        if cte.alias.startswith(EPHEMERAL):
            cte.set("this", exp.select("*").from_(exp.to_table(cte.alias.removeprefix(EPHEMERAL))))


class Found:
    """What is found in one statement."""

    def __init__(self, statement: Statement, place: Place) -> None:
        self.statement = statement
        self.place = place
        self.findings: list[Finding] = []
        self.technical: list[Technical] = []
        self.problems: list[Problem] = []
        self.pivots: list[Finding] = []
        self._explained: set[int] = set()
        with self._apart(statement.tree):
            for query in queries(statement.tree, place.around):
                with self._apart(query.select):
                    self._look_at_columns(query)
                    self._look_at_values(query)
                    self._look_at_rows(query)
            self._look_at_changes()
            self._explain_the_rest()

    @contextmanager
    def _apart(self, node: Node) -> Iterator[None]:
        """Keep what fails at one expression to it: it is reported, and all others are looked at."""
        try:
            yield
        except Exception as error:  # what a parser makes of strange SQL has no known shape
            line = self.statement.line_of(node)
            why = "is nested too deeply" if isinstance(error, RecursionError) else f"has no known form ({error})"
            shown = "" if isinstance(error, RecursionError) else f": {node.sql(comments=False)[:80]}"
            message = f"This {why} and was not looked into{shown}."
            self.problems.append(Problem(self.place.file, self.place.line_of(line, line, ""), message))

    def _look_at_columns(self, query: Query) -> None:
        for name, item in output_columns(query.select):
            with self._apart(item):
                self._look_at_column(name, item, query)

    def _look_at_values(self, query: Query) -> None:
        """Look at rows that are written beside a query, `(values (case ... end, n))`, and compute something."""
        for values in query.select.find_all(exp.Values):
            if values.find_ancestor(exp.Select) is not query.select:
                continue
            lateral = values.find_ancestor(exp.Lateral, exp.Select)
            names = values.alias_column_names
            if not names and isinstance(lateral, exp.Lateral):
                names = lateral.alias_column_names
            for row in values.expressions:
                for number, item in enumerate(row.expressions):
                    if not is_constant(item):
                        with self._apart(item):
                            self._look_at_column(names[number] if number < len(names) else "", item, query)

    def _look_at_column(self, name: str, item: Node, query: Query) -> None:
        judged = list(logic_of(item, name, query))
        for kind in dict.fromkeys(found.kind for found in judged if isinstance(found, Logic)):
            nodes = [found.node for found in judged if isinstance(found, Logic) and found.kind is kind]
            self._add(nodes, item, name, kind, Clause.SELECT, query)
        self._add_technical(judged, name)
        for found in judged:
            if isinstance(found, TechnicalCase) and found.reason == PIVOT:
                self.pivots.append(self._finding([found.node], item, name, Kind.CLASSIFICATION, Clause.SELECT, query))

    def _look_at_rows(self, query: Query) -> None:
        conditions: dict[tuple[Clause, str, Kind, str], list[Node]] = {}
        for clause, condition in row_conditions(query.select):
            with self._apart(condition):
                kind = kind_of_filter(condition, clause, query)
                if kind is not None:
                    column = filtered_column(condition)
                    conditions.setdefault((clause, column, kind, _relation_of(condition)), []).append(condition)
        for (clause, column, kind, _), nodes in conditions.items():
            with self._apart(nodes[0]):
                whole = exp.and_(*(node.copy() for node in nodes)) if len(nodes) > 1 else nodes[0]
                self._add(nodes, whole, column, kind, clause, query)

    def _look_at_changes(self) -> None:
        """Look at what UPDATE, MERGE and DELETE write and choose, beside the queries in them."""
        nowhere = Query(exp.Select(), None)
        for change in self.statement.tree.find_all(exp.Update):
            for pair in change.expressions:
                if isinstance(pair, exp.EQ):
                    judged = list(logic_of(pair.expression, pair.this.name, nowhere))
                    for found in judged:
                        if isinstance(found, Logic):
                            self._add([found.node], pair.expression, pair.this.name, found.kind, Clause.SET, nowhere)
                    self._add_technical(judged, pair.this.name)
        for written in self.statement.tree.find_all(exp.Update, exp.Delete, exp.When):
            where = written.args.get("condition") if isinstance(written, exp.When) else written.args.get("where")
            whole = where.this if isinstance(where, exp.Where) else where
            for condition in conjuncts(whole) if whole is not None else []:
                kind = kind_of_filter(condition, Clause.WHERE, nowhere)
                if kind is not None:
                    self._add([condition], condition, filtered_column(condition), kind, Clause.WHERE, nowhere)

    def _add(self, nodes: list[Node], item: Node, column: str, kind: Kind, clause: Clause, query: Query) -> None:
        self._explained.update(id(case) for node in nodes for case in nodes_within(node) if isinstance(case, exp.Case))
        self.findings.append(self._finding(nodes, item, column, kind, clause, query))

    def _finding(self, nodes: list[Node], item: Node, column: str, kind: Kind, clause: Clause, query: Query) -> Finding:
        first = min(self.statement.line_of(node) for node in nodes)
        last = max(self.statement.last_line_of(item), *(self.statement.last_line_of(node) for node in nodes))
        is_column = clause in (Clause.SELECT, Clause.SET)
        return Finding(
            file=self.place.file,
            line=self.place.line_of(first, last, column),
            model=self.place.model,
            clause=clause,
            column=column,
            kind=kind,
            sql=_sql(item, self.place.dialect),
            statement=draft(nodes[0] if is_column else item, column, kind, clause, item if is_column else None),
            inputs=column_names(item),
            origins=origins_of(item, query, query.around.origins) if query.around.origins else (),
            cases=sum(map(case_count, nodes)),
            metrics=measure(nodes),
            shape=shape_of(nodes, column, query),
        )

    def _add_technical(self, judged: list[Judged], column: str) -> None:
        for found in judged:
            if isinstance(found, TechnicalCase):
                self._explain(found.node, column, found.reason)

    def _explain(self, case: Node, column: str, reason: str) -> None:
        self._explained.add(id(case))
        line = self.place.line_of(self.statement.line_of(case), self.statement.last_line_of(case), column)
        is_written_so = int(isinstance(case, exp.Case))
        sql = _sql(case, self.place.dialect)
        self.technical.append(Technical(self.place.file, line, self.place.model, column, sql, reason, is_written_so))

    def _explain_the_rest(self) -> None:
        """Give a reason for each CASE that no column and no filter has accounted for."""
        for case in self.statement.tree.find_all(exp.Case):
            if id(case) not in self._explained:
                column = next(iter(column_names(case)), "")
                self._explain(case, column, _reason_by_place(case))


def output_columns(select: exp.Select) -> Iterator[tuple[str, Node]]:
    """Yield the columns that a query computes, by name; what it groups by without showing it, too."""
    for item in select.selects:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star):
            for part in star.args.get("replace") or []:
                yield part.alias, part.this
        elif isinstance(item, exp.Aliases | exp.Alias):
            yield item.alias_or_name, item.this
        elif not isinstance(item, exp.Column):
            yield item.output_name or _name_in_union(select, item) or filtered_column(item), item
    group = select.args.get("group")
    for part in group.expressions if group is not None else []:
        if is_case(part) and part not in [item.unalias() for item in select.selects]:
            yield filtered_column(part), part


def _name_in_union(select: exp.Select, item: Node) -> str:
    """Return the name that the first query of a UNION gives a column that this one does not name; '' elsewhere."""
    union = select.parent
    while isinstance(union, exp.SetOperation) and isinstance(union.parent, exp.SetOperation):
        union = union.parent
    if not isinstance(union, exp.SetOperation):
        return ""
    number = next((at for at, own in enumerate(select.selects) if own is item), -1)
    first = union.selects
    return first[number].alias_or_name if 0 <= number < len(first) else ""


def row_conditions(select: exp.Select) -> Iterator[tuple[Clause, Node]]:
    """Yield the conditions by which a query keeps rows, AND taken apart."""
    for clause in (Clause.WHERE, Clause.HAVING, Clause.QUALIFY):
        found = select.args.get(clause.value)
        for condition in conjuncts(found.this) if found is not None else []:
            yield clause, condition
    for join in select.args.get("joins") or []:
        condition = join.args.get("on")
        for part in conjuncts(condition) if condition is not None else []:
            yield Clause.JOIN, part


def _relation_of(condition: Node) -> str:
    """Return the name by which a condition calls the relation of its first column; '' where it names none."""
    first = next(iter(columns_of(condition)), None)
    return first.table.lower() if first is not None else ""


def _reason_by_place(case: Node) -> str:
    around = case.find_ancestor(exp.Order, exp.Group, exp.Where, exp.Having, exp.Join, exp.Case, exp.Query)
    if isinstance(around, exp.Order):
        return "order to sort by"
    if isinstance(around, exp.Group):
        return "repeats a column to group by it"
    if isinstance(around, exp.Where | exp.Having | exp.Join):
        return "part of a technical condition"
    return "part of a technical expression"


def _sql(node: Node, dialect: str) -> str:
    return node.sql(dialect=dialect, comments=False)
