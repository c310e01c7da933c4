"""Logic that stands in the semantic layer of a project: expressions of its models, and filters of its metrics
and saved queries.

What belongs here: finding these texts in a properties file. What does not: what is logic (`findings`), and tests of
the same file (`data_tests`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from olist_pipeline.audit.data_tests import Plain, entries_of, items_of, text_of_node
from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.model import FileAudit
from olist_pipeline.audit.model_settings import is_off

PARTS = ("entities", "dimensions", "measures")
REFERENCE = re.compile(
    r"\{\{\s*(?:Dimension|TimeDimension|Entity|Metric)\(\s*['\"](?:\w+__)?(\w+)['\"].*?\}\}", re.DOTALL
)
RELATION = re.compile(r"(\w+)['\"]\s*\)")
FILTERS = ("filter", "where")
MOST_DEPTH = 4


@dataclass(frozen=True)
class Piece:
    """A query that says what stands in the semantic layer, of which model or metric, and on which line."""

    sql: str
    of: str
    line: int


def audit_semantics(root: yaml.Node | None, file: str, dialect: str, plain: Plain) -> FileAudit:
    """Return the logic in the semantic models and metrics of a properties file."""
    found = [_audited(piece, file, dialect, plain) for piece in _pieces(root, plain)]
    return FileAudit(
        file,
        tuple(finding for one in found for finding in one.findings),
        tuple(case for one in found for case in one.technical),
        tuple(problem for one in found for problem in one.problems),
    )


def _audited(piece: Piece, file: str, dialect: str, plain: Plain) -> FileAudit:
    def line_of(first: int, last: int, column: str) -> int:
        return piece.line

    return audit_sql(plain(REFERENCE.sub(r"\1", piece.sql)), Place(file, piece.of, dialect, line_of))


def _pieces(root: yaml.Node | None, plain: Plain) -> Iterator[Piece]:
    top = entries_of(root)

    def switched_on(key: str) -> list[yaml.Node]:
        said = [(node, text_of_node(_setting(node, "enabled"))) for node in items_of(top.get(key))]
        return [node for node, enabled in said if not is_off(plain(enabled))]

    for entry in switched_on("semantic_models"):
        own = entries_of(entry)
        relation = RELATION.search(text_of_node(own.get("model")))
        model = relation[1] if relation else text_of_node(own.get("name"))
        for part in (node for key in PARTS for node in items_of(own.get(key))):
            values = entries_of(part)
            said = text_of_node(values.get("expr"))
            if said and not re.fullmatch(r"[\w.]+", said):
                name = text_of_node(values.get("name"))
                yield Piece(f"select {said} as {name} from {model}", model, _line(values["expr"]))
    for entry in (*switched_on("metrics"), *switched_on("saved_queries")):
        name = text_of_node(entries_of(entry).get("name"))
        for node in _filters(entry):
            if said := text_of_node(node):
                yield Piece(f"select 1 as {name} from {name} where {said}", name, _line(node))


def _filters(node: yaml.Node, depth: int = 0) -> Iterator[yaml.Node]:
    """Yield the filters of a metric or a saved query, and of the measures and metrics that it is made of."""
    for key, value in entries_of(node).items():
        if key in FILTERS:
            yield from items_of(value) or [value]
        elif depth < MOST_DEPTH:
            for part in items_of(value) or [value]:
                yield from _filters(part, depth + 1)


def _setting(node: yaml.Node, key: str) -> yaml.Node | None:
    return entries_of(entries_of(node).get("config")).get(key)


def _line(node: yaml.Node) -> int:
    """Return the line of a text, from 1; one that is folded begins on the line after its sign."""
    is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.start_mark.line) + 1 + is_block
