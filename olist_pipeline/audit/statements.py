"""SQL text as statements, each parsed on its own, so that one that is broken does not hide the others.

What belongs here: parsing, errors with their lines, and the lines of expressions. What does not: Jinja, and what
an expression means.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from olist_pipeline.audit.expressions import Node
from olist_pipeline.audit.plain import plain
from olist_pipeline.audit.rescue import rescued, with_names

# A statement that sqlglot does not know is reported by the audit itself.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

LINE = re.compile(r"[Ll]ine (\d+)")
HOLDS_LOGIC = re.compile(r"\b(select|case|where|(?<!on )update|(?<!on )delete|merge)\b", re.IGNORECASE)
WITHOUT_LOGIC = frozenset({"COMMENT", "DESCRIBE", "GRANT", "REVOKE", "SHOW", "USE"})
"""Statements that name rights, words and places alone, whatever words stand in them."""


BROKEN = (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError)
"""What the parser raises for what it does not understand."""
INCOMPLETE = re.compile(r"Required keyword: .*\.(\w+)'>")
"""Its message where a part is missing; all else was understood."""
LISTS = ("Values", "In", "CTE", "Tuple", "JSONKeyValue")
"""What may lack a part that a template leaves out, as in a list of nothing; so may each function, but those below."""
WITH_WORDS = (exp.Cast, exp.Case)
"""Functions that are written with words: where these lack something, it is no template's list."""
WORD_LINE = "word_line"
"""Where a node's meta keeps the line of the word that begins it."""
OTHER_DIALECTS = ("", "bigquery", "mysql", "snowflake")
"""What a text is cut into words by where its own dialect cannot."""
IF_WORDS = ("if", "iif", "iff")
DEPTHS = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}


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
        if WORD_LINE in node.meta:
            return int(node.meta[WORD_LINE])
        first = min((found for found in node.walk() if "start" in found.meta), key=_start, default=None)
        if first is None:
            return self.tokens[0].line
        # Of IF and IIF no position is kept: it is the word before the first thing in it.
        at = self._numbers.get(_start(first), 0)
        while isinstance(node, exp.If) and at > 1 and self.tokens[at - 1].token_type is TokenType.L_PAREN:
            at -= 1
            if self.tokens[at - 1].text.lower() in IF_WORDS:
                return self.tokens[at - 1].line
        return int(first.meta["line"])

    def last_line_of(self, node: Node) -> int:
        """Return the line on which an expression ends."""
        return max((found.meta["line"] for found in node.walk() if "line" in found.meta), default=self.line_of(node))

    @cached_property
    def _numbers(self) -> dict[int, int]:
        """The number of each token by its start."""
        return {token.start: number for number, token in enumerate(self.tokens)}


def _keep_lines_of_case(tree: Node, tokens: Sequence[Token]) -> None:
    """Note the line of the word CASE at each CASE node.

    The parser keeps positions of names, functions and literals only. Nodes in the order of the first of these in them,
    outer before inner, are in the order of the words; where the numbers differ nothing is claimed.
    """
    nodes = list(tree.find_all(exp.Case))
    words = [token for token in tokens if token.token_type is TokenType.CASE]
    if len(nodes) != len(words):
        return
    starts = {id(node): (_first_position(node), _depth(node)) for node in nodes}
    for node, word in zip(sorted(nodes, key=lambda node: starts[id(node)]), words, strict=True):
        node.meta[WORD_LINE] = word.line


def statements(sql: str, dialect: str) -> Iterator[Statement | UnreadableError]:
    """Yield the statements of a text; for one that cannot be parsed, why and where."""
    known = Dialect.get_or_raise(dialect)
    try:
        tokens = known.tokenize(sql)
    except TokenError as error:
        yield UnreadableError(_line_in(str(error)), f"is no {dialect} SQL: {_first_sentence(error)}")
        tokens = _tokens_of_others(sql)
    for part in _split(tokens):
        yield from _read(part, sql, known, dialect)


def has_errors(sql: str, dialect: str) -> bool:
    """Return whether a text is no SQL of a dialect, in some part."""
    return any(isinstance(part, UnreadableError) for part in statements(sql, dialect))


def _read(part: tuple[Token, ...], sql: str, known: Dialect, dialect: str) -> Iterator[Statement | UnreadableError]:
    def parse(tokens: Sequence[Token]) -> Node | None:
        try:
            [tree] = known.parser(error_level=ErrorLevel.IMMEDIATE).parse(list(tokens), sql) or [None]
        except ParseError as error:
            if not _lacks_a_list(error):
                raise
            # `in ()` of a loop that did not turn, and the like: what is missing is missed where it is looked at.
            parser = known.parser(error_level=ErrorLevel.IGNORE)
            [tree] = parser.parse(list(tokens), sql) or [None]
            if parser.errors:
                raise
            _fill_gaps(tree)
        return tree

    try:
        yield from _looked_into(parse(part), part)
    except RecursionError:
        yield UnreadableError(part[0].line, "is nested too deeply to be parsed")
    except BROKEN:
        for tree, tokens, why in rescued(with_names(part), parse, BROKEN):
            if why is None:
                yield from _looked_into(tree, tuple(tokens))
            else:
                yield _unreadable(why, tokens, dialect)


def _lacks_a_list(error: ParseError) -> bool:
    lacking = INCOMPLETE.match(str(error))
    kind = getattr(exp, lacking[1], None) if lacking else None
    if kind is None:
        return False
    return kind.__name__ in LISTS or (issubclass(kind, exp.Func) and not issubclass(kind, WITH_WORDS))


def _tokens_of_others(sql: str) -> list[Token]:
    """Return the tokens of a text by the first dialect that has any: texts and comments are written otherwise there."""
    for other in OTHER_DIALECTS:
        with suppress(TokenError):
            return list(Dialect.get_or_raise(other).tokenize(sql))
    return []


def _fill_gaps(tree: Node | None) -> None:
    """Put NULL where a part is missing that there must be, so that all that looks at a tree finds what it expects."""
    for node in list(tree.walk()) if tree is not None else ():
        for name, is_needed in node.arg_types.items():
            value = node.args.get(name)
            if isinstance(value, list) and None in value:
                node.set(name, [part for part in value if part is not None])
            elif is_needed and value is None:
                node.set(name, exp.Null() if name != "expressions" else [])


def _looked_into(tree: Node | None, part: tuple[Token, ...]) -> Iterator[Statement | UnreadableError]:
    if isinstance(tree, exp.Command):
        if tree.name.upper() not in WITHOUT_LOGIC and HOLDS_LOGIC.search(tree.sql()):
            yield UnreadableError(part[0].line, f"is a statement that cannot be looked into: {tree.name} ...")
    elif tree is not None:
        _keep_lines_of_case(tree, part)
        yield Statement(plain(tree, part), part)
        if _hides_a_body(tree):
            yield UnreadableError(part[0].line, "has a body in a text, which was not looked into")


def _unreadable(error: Exception, tokens: Sequence[Token], dialect: str) -> UnreadableError:
    first = tokens[0].line if tokens else 1
    if isinstance(error, ParseError):
        line = error.errors[0].get("line") if error.errors else None
        return UnreadableError(line or first, f"is no {dialect} SQL: {_first_sentence(error)}")
    why = f": {_first_sentence(error)}" if isinstance(error, SqlglotError) else ""
    return UnreadableError(first, f"could not be parsed as {dialect}{why}")


def _hides_a_body(tree: Node) -> bool:
    """Return whether a procedure or function is created whose SQL is a text: `as $$ ... $$`."""
    if not isinstance(tree, exp.Create) or tree.kind not in ("PROCEDURE", "FUNCTION") or tree.expression is None:
        return False
    texts = tree.expression.find_all(exp.Literal, exp.RawString, exp.Heredoc)
    return any(HOLDS_LOGIC.search(str(text.this)) for text in texts)


def _split(tokens: list[Token]) -> Iterator[tuple[Token, ...]]:
    """Yield the statements; a semicolon within parentheses, as generators write at the end of a CTE, ends none."""
    steps = [DEPTHS.get(token.token_type, 0) for token in tokens]
    depth, is_balanced, part = 0, not sum(steps), list[Token]()
    for token, step in zip(tokens, steps, strict=True):
        depth += step
        if token.token_type is not TokenType.SEMICOLON:
            part.append(token)
        elif part and not (is_balanced and depth > 0):
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _first_position(node: Node) -> int:
    return min((_start(found) for found in node.walk() if "start" in found.meta), default=0)


def _start(node: Node) -> int:
    return int(node.meta["start"])


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
    text = re.sub(r"<Token token_type: [^>]*?text: (.*?), line: [^>]*>", r"\1", text)  # the parser's own notation
    at = repr(error.errors[0]["highlight"]) if isinstance(error, ParseError) and error.errors else ""
    if text.startswith("Required keyword"):
        text = f"a part is missing at {at}"
    for words, plainly in (
        ("Invalid expression / Unexpected token", f"{at} is not expected"),
        ("Error tokenizing", "no words can be made of"),
        ("SENTINEL", "its end"),
        ("anonymous does", "what follows it does"),
    ):
        text = text.replace(words, plainly)
    return text.splitlines()[0].partition(". Line")[0].rstrip(". ")[:200]
