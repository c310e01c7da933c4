"""What can be read of a statement that cannot be read as a whole.

What belongs here: parsing its subqueries and CTEs one by one, and what is around them. What does not: reporting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from olist_pipeline.audit.expressions import Node

Parse = Callable[[Sequence[Token]], Node | None]
"""Parses tokens; raises ParseError."""

QUERIES = (TokenType.SELECT, TokenType.WITH)


def rescued(
    tokens: Sequence[Token], parse: Parse, broken: type[Exception] | tuple[type[Exception], ...]
) -> Iterator[tuple[Node | None, Sequence[Token], Exception | None]]:
    """Yield what is left of a statement that `parse` refused: each part with its tokens, and why it is no SQL.

    A query in parentheses is a part of its own; what stands around is parsed with empty queries in their places. Only
    the innermost part that cannot be parsed is lost.
    """
    spans = list(_queries_within(tokens))
    outer: list[Token] = []
    end = 0
    for first, last in spans:
        outer += [*tokens[end:first], *_nothing(tokens[first])]
        end = last
    outer += tokens[end:]
    yield _parsed(outer, parse, broken)
    for first, last in spans:
        inner = tokens[first:last]
        tree, part, error = _parsed(inner, parse, broken)
        if error is None or not any(True for _ in _queries_within(inner)):
            yield tree, part, error
        else:
            yield from rescued(inner, parse, broken)


def _parsed(
    tokens: Sequence[Token], parse: Parse, broken: type[Exception] | tuple[type[Exception], ...]
) -> tuple[Node | None, Sequence[Token], Exception | None]:
    try:
        return parse(tokens), tokens, None
    except broken as error:
        return None, tokens, error


def _queries_within(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield the outermost queries in parentheses: the number of the first token, and one past the last."""
    at = 0
    while at < len(tokens) - 1:
        if tokens[at].token_type is TokenType.L_PAREN and tokens[at + 1].token_type in QUERIES:
            depth, end = 1, at + 1
            while end < len(tokens) and depth:
                depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[end].token_type, 0)
                end += 1
            if depth == 0:
                yield at + 1, end - 1
                at = end
                continue
        at += 1


def _nothing(token: Token) -> list[Token]:
    """Return the tokens of a query that holds nothing, at the place of `token`."""
    place = token.line, token.col, token.start, token.end
    return [Token(TokenType.SELECT, "select", *place), Token(TokenType.NULL, "null", *place)]
