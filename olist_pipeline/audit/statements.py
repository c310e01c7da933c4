"""SQL text as statements, each parsed on its own, so that one that is broken does not hide the others.

What belongs here: parsing, errors with their lines, and the lines of expressions. What does not: Jinja, and what
an expression means.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from olist_pipeline.audit.expressions import Node

# A statement that sqlglot does not know is reported by the audit itself.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

LINE = re.compile(r"[Ll]ine (\d+)")
HOLDS_LOGIC = re.compile(r"\b(select|case|where|update|delete|merge)\b", re.IGNORECASE)


class UnreadableError(Exception):
    """A statement that is no SQL of the dialect; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True)
class Statement:
    """One parsed statement with its tokens."""

    tree: Node
    tokens: tuple[Token, ...] = field(repr=False)

    def line_of(self, node: Node) -> int:
        """Return the line on which an expression begins, from 1."""
        case = node if isinstance(node, exp.Case) else None
        if case is not None and id(case) in self._case_lines:
            return self._case_lines[id(case)]
        lines = [found.meta["line"] for found in node.walk() if "line" in found.meta]
        return min(lines, default=self.tokens[0].line)

    def last_line_of(self, node: Node) -> int:
        """Return the line on which an expression ends."""
        return max((found.meta["line"] for found in node.walk() if "line" in found.meta), default=self.line_of(node))

    @cached_property
    def _case_lines(self) -> dict[int, int]:
        """The line of the word CASE of each CASE node, by its id.

        The parser keeps positions of names and literals only. Nodes in the order of the first of these in them,
        outer before inner, are in the order of the words; where the numbers differ nothing is claimed.
        """
        nodes = list(self.tree.find_all(exp.Case))
        words = [token for token in self.tokens if token.token_type is TokenType.CASE]
        starts = {id(node): (_first_position(node), _depth(node)) for node in nodes}
        ordered = sorted(nodes, key=lambda node: starts[id(node)])
        if len(nodes) != len(words):
            return {}
        return {id(node): word.line for node, word in zip(ordered, words, strict=True)}


def statements(sql: str, dialect: str) -> Iterator[Statement | UnreadableError]:
    """Yield the statements of a text; for one that cannot be parsed, why and where."""
    known = Dialect.get_or_raise(dialect)
    try:
        tokens = known.tokenize(sql)
    except TokenError as error:
        yield UnreadableError(_line_in(str(error)), f"is no {dialect} SQL: {_first_sentence(error)}")
        return
    for part in _split(tokens):
        try:
            [tree] = known.parser(error_level=ErrorLevel.IMMEDIATE).parse(list(part), sql) or [None]
        except ParseError as error:
            line = error.errors[0].get("line") if error.errors else None
            yield UnreadableError(line or part[0].line, f"is no {dialect} SQL: {_first_sentence(error)}")
        except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
            yield UnreadableError(part[0].line, f"could not be parsed as {dialect}: {_first_sentence(error)}")
        except RecursionError:
            yield UnreadableError(part[0].line, "is nested too deeply to be parsed")
        else:
            if isinstance(tree, exp.Command):
                if HOLDS_LOGIC.search(tree.sql()):
                    yield UnreadableError(part[0].line, f"is a statement that cannot be looked into: {tree.name} ...")
            elif tree is not None:
                yield Statement(tree, part)
                if _hides_a_body(tree):
                    yield UnreadableError(part[0].line, "has a body in a text, which was not looked into")


def _hides_a_body(tree: Node) -> bool:
    """Return whether a procedure or function is created whose SQL is a text: `as $$ ... $$`."""
    if not isinstance(tree, exp.Create) or tree.kind not in ("PROCEDURE", "FUNCTION") or tree.expression is None:
        return False
    texts = tree.expression.find_all(exp.Literal, exp.RawString, exp.Heredoc)
    return any(HOLDS_LOGIC.search(str(text.this)) for text in texts)


def _split(tokens: list[Token]) -> Iterator[tuple[Token, ...]]:
    part: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if part:
                yield tuple(part)
            part = []
        else:
            part.append(token)
    if part:
        yield tuple(part)


def _first_position(node: Node) -> int:
    return min((found.meta["start"] for found in node.walk() if "start" in found.meta), default=0)


def _depth(node: Node) -> int:
    return sum(1 for _ in _parents(node))


def _parents(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _line_in(message: str) -> int:
    found = LINE.search(message)
    return int(found[1]) if found else 1


def _first_sentence(error: Exception) -> str:
    """Return the first line of a message without the colours of a terminal, and without a full stop."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip() or type(error).__name__
    return text.splitlines()[0].partition(". Line")[0].rstrip(". ")[:200]
