"""What can be read of a statement that cannot be read as a whole.

What belongs here: parsing its subqueries and CTEs one by one, and what is around them, a column and a condition at a
time if it must be. What does not: reporting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from olist_pipeline.audit.expressions import Node

Parse = Callable[[Sequence[Token]], Node | None]
"""Parses tokens; raises ParseError."""
Refusals = type[Exception] | tuple[type[Exception], ...]
Readable = tuple[Node | None, Sequence[Token], Exception | None]
"""A part of a statement with its tokens, and why it is no SQL; of what is left out of a part there is no tree."""

QUERIES = (TokenType.SELECT, TokenType.WITH)
SETS = (TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT)
CONDITIONS = (TokenType.WHERE, TokenType.HAVING, TokenType.QUALIFY)
CLAUSES = (
    *(TokenType.FROM, TokenType.GROUP_BY, TokenType.WINDOW, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.FETCH),
    *CONDITIONS,
)
DEPTHS = {
    **dict.fromkeys((TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE), 1),
    **dict.fromkeys((TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE), -1),
}


AFTER_A_NAME = frozenset(
    {TokenType.DOT, TokenType.COMMA, TokenType.R_PAREN, TokenType.L_BRACKET, TokenType.DCOLON, TokenType.ALIAS}
    | {TokenType.EQ, TokenType.NEQ, TokenType.GT, TokenType.GTE, TokenType.LT, TokenType.LTE, TokenType.FROM}
    | {TokenType.AND, TokenType.OR, TokenType.IS, TokenType.IN, TokenType.THEN, TokenType.ELSE, TokenType.END}
    | {TokenType.PLUS, TokenType.SLASH}
)
"""What stands behind no FROM that begins a clause."""
ENDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER, TokenType.NULL, TokenType.STAR}
    | {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}
)
"""What an expression ends with: a FROM behind it begins a clause."""


def with_names(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a statement, each FROM that is a column's name as one: Spark lets columns be called so."""
    kinds = [TokenType.COMMA, *(token.token_type for token in tokens), TokenType.COMMA]
    return [
        Token(TokenType.VAR, token.text, *_place(token))
        if token.token_type is TokenType.FROM and before not in ENDS and after in AFTER_A_NAME
        else token
        for token, before, after in zip(tokens, kinds, kinds[2:], strict=False)
    ]


def rescued(tokens: Sequence[Token], parse: Parse, broken: Refusals) -> Iterator[Readable]:
    """Yield what is left of a statement that `parse` refused: each part with its tokens, and why it is no SQL.

    A query in parentheses is a part of its own; what stands around is parsed with empty queries in their places. Of the
    innermost part that cannot be parsed only those columns and conditions are lost that are no SQL themselves.
    """
    spans = list(_queries_within(tokens))
    outer: list[Token] = []
    end = 0
    for first, last in spans:
        outer += [*tokens[end:first], *_nothing(tokens[first])]
        end = last
    outer += tokens[end:]
    yield from _as_far_as_it_goes(outer, parse, broken)
    for first, last in spans:
        inner = tokens[first:last]
        if any(True for _ in _queries_within(inner)) and _parsed(inner, parse, broken)[2] is not None:
            yield from rescued(inner, parse, broken)
        else:
            yield from _as_far_as_it_goes(inner, parse, broken)


def _as_far_as_it_goes(tokens: Sequence[Token], parse: Parse, broken: Refusals) -> Iterator[Readable]:
    tree, _, why = _parsed(tokens, parse, broken)
    selects = list(_selects_of(tokens)) if why is not None else []
    if why is None:
        yield tree, tokens, why
        return
    if not selects:
        # What begins the query is written by somebody whom nobody knows; its conditions may stand here.
        yield tree, tokens, why
        first = next((number for number, token in _at_top(tokens) if token.token_type in CONDITIONS), None)
        selects = [[*_nothing(tokens[first]), *tokens[first:]]] if first is not None else []
    for select in selects:
        yield from _by_parts(select, parse, broken, why)


def _by_parts(select: Sequence[Token], parse: Parse, broken: Refusals, whole: Exception) -> Iterator[Readable]:
    """Yield a query without what is no SQL in it, and then that, a part each; `whole` is why the statement is none."""
    word, nothing = select[0], _nothing(select[0])
    columns, *clauses = _clauses_of(select)
    items = [(item, _parsed([word, *item], parse, broken)[2]) for item in _between(columns[1:], TokenType.COMMA)]
    lost: list[Readable] = [(None, item, why) for item, why in items if why is not None]
    query = [word, *_joined([item if why is None else nothing[1:] for item, why in items], TokenType.COMMA, ",")]
    is_readable = len(lost) < len(items)
    for clause in clauses:
        is_condition = clause[0].token_type in CONDITIONS
        parts = list(_between(clause[1:], TokenType.AND)) if is_condition else [clause[1:]]
        read = [(part, _parsed([*nothing, clause[0], *part], parse, broken)[2]) for part in parts]
        lost += [(None, part, why) for part, why in read if why is not None]
        if good := [part for part, why in read if why is None]:
            query += [clause[0], *_joined(good, TokenType.AND, "and")]
            is_readable = True
    tree, _, why = _parsed(query, parse, broken) if is_readable else (None, query, lost[0][2] if lost else whole)
    yield tree, query, why
    if why is None:
        yield from lost


def _selects_of(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the queries at the top of a statement, those of a UNION one by one, without their CTEs."""
    at: int | None = None
    for number, token in _at_top(tokens):
        if token.token_type is TokenType.SELECT and at is None:
            at = number
        elif token.token_type in SETS and at is not None:
            yield tokens[at:number]
            at = None
    if at is not None:
        yield tokens[at:]


def _clauses_of(select: Sequence[Token]) -> list[Sequence[Token]]:
    """Return the select list of a query and its clauses, each with the word that begins it."""
    starts = [0, *(number for number, token in _at_top(select) if token.token_type in CLAUSES)]
    return [select[first:end] for first, end in zip(starts, [*starts[1:], len(select)], strict=True)]


def _between(tokens: Sequence[Token], kind: TokenType) -> Iterator[Sequence[Token]]:
    """Yield what stands between the tokens of a kind that stand in no parentheses and in no CASE or BETWEEN."""
    first, cases, ranges = 0, 0, 0
    for number, token in _at_top(tokens):
        cases += {TokenType.CASE: 1, TokenType.END: -1}.get(token.token_type, 0)
        ranges += token.token_type is TokenType.BETWEEN
        if token.token_type is not kind or cases > 0:
            continue
        if kind is TokenType.AND and ranges:
            ranges -= 1
            continue
        yield tokens[first:number]
        first = number + 1
    if first < len(tokens):
        yield tokens[first:]


def _at_top(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    depth = 0
    for number, token in enumerate(tokens):
        depth += DEPTHS.get(token.token_type, 0)
        if depth == 0:
            yield number, token


def _joined(parts: Sequence[Sequence[Token]], kind: TokenType, text: str) -> list[Token]:
    found: list[Token] = []
    for part in parts:
        found += [Token(kind, text, *_place(part[0])), *part] if found and part else part
    return found


def _parsed(tokens: Sequence[Token], parse: Parse, broken: Refusals) -> Readable:
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
    return [Token(TokenType.SELECT, "select", *_place(token)), Token(TokenType.NULL, "null", *_place(token))]


def _place(token: Token) -> tuple[int, int, int, int]:
    return token.line, token.col, token.start, token.end
