"""The text of DuckDB's types, read where a type holds others.

Belongs here: rewriting the types inside a type. Does not belong here: what a type means for a comparison
(`columns.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# A quoted name, a quoted label, or one character.
TOKEN = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|.', re.DOTALL)
NAMED = {"STRUCT", "UNION"}
UNNAMED = {"MAP", "TUPLE"}


def rewritten(kind: str, change: Callable[[str], str]) -> str:
    """Return a type with every type inside it that holds no other changed: `STRUCT(a JSON)`, `INTERVAL[]` and so on."""
    if kind.endswith("]"):
        start = kind.rindex("[")
        return rewritten(kind[:start], change) + kind[start:]
    word, parenthesis, inside = kind.partition("(")
    if not parenthesis or word not in NAMED | UNNAMED:
        return change(kind)
    members = _members(inside[:-1])
    if word in UNNAMED:
        return f"{word}({', '.join(rewritten(member, change) for member in members)})"
    named = (_name_and_type(member) for member in members)
    return f"{word}({', '.join(f'{name} {rewritten(member, change)}' for name, member in named)})"


def _members(text: str) -> Iterator[str]:
    """Yield what stands between the outermost commas."""
    depth, member = 0, ""
    for token in TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        if token == "," and not depth:
            yield member.strip()
            member = ""
        else:
            member += token
    if member.strip():
        yield member.strip()


def _name_and_type(member: str) -> tuple[str, str]:
    name = TOKEN.match(member)
    if name is not None and name[0].startswith('"'):
        return name[0], member[name.end() :].strip()
    word, _, kind = member.partition(" ")
    return word, kind
