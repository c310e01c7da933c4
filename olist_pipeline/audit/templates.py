"""The text of a template before Jinja compiles it: what only dbt knows made plain, on the same lines.

What belongs here: changes of text. What does not: rendering (`jinja`), and the names that dbt gives (`dbt_names`).
"""

from __future__ import annotations

import re

GLUED = re.compile(
    r"(?<=\w)(?=\{\{-?\s*(?:ref|source)\s*\()"
    r"|(?<=\}\})(?<!%\}\})(?=(?:as|on|using|where|join|left|inner)\b)",
    re.IGNORECASE,
)
"""Where a name that dbt writes in quotes stands beside a word without a space: `join{{ ref('shops') }}as s`."""
BLOCK = re.compile(
    r"(\{%-?\s*)(test|materialization|docs|snapshot|end(?:test|materialization|docs|snapshot))\b([^%]*?)(-?%\})"
)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
OF_MACROS = re.compile(
    r"\{%-?\s*(macro|test|data_test|materialization)\b.*?\{%-?\s*end(macro|test|data_test|materialization)\b.*?%\}",
    re.DOTALL,
)
OPENS = re.compile(r"\{%-?\s*macro\b")
SEVERAL = re.compile(r"(\{%-?\s*set\s+)((?:\w+\s*,\s*)+\w+)(\s*=)(.*?)(-?%\})", re.DOTALL)


TAG = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
WORD_OF_TAG = re.compile(r"\{%[-+]?\s*(\w+)\s*(.*?)[-+]?%\}", re.DOTALL)
RELATION = re.compile(r"\{\{-?\s*(?:ref|source)\s*\((.*?)\)", re.DOTALL)
TEXT = re.compile(r"""(['"])(.*?)\1""")
WRITES_NOTHING = re.compile(r"(\{\{-?\s*config)(?=\s*\()")
LAST_TURN = re.compile(r"\bloop\.(last|first)\b")
STAND_IN = "of_a_template"
"""What stands for a value that only Jinja knows: a name of nothing."""


def without_tags(text: str) -> str:
    """Return what a template says outside of its tags, on the same lines: for one that cannot be rendered.

    Relations keep their names. Of what is written either so or otherwise the first is kept, and a loop turns once.
    """
    parts, end, skips = [], 0, list[bool]()
    for tag in TAG.finditer(text):
        between = text[end : tag.start()]
        parts.append(_only_lines(between) if any(skips) else between)
        found = WORD_OF_TAG.match(tag[0])
        word = found[1] if found else ""
        if word in ("if", "for") and found:
            skips.append(word == "if" and LAST_TURN.search(found[2]) is not None)
        elif word in ("elif", "else") and skips:
            skips[-1] = True
        elif word in ("endif", "endfor") and skips:
            skips.pop()
        parts.append(_only_lines(tag) if found or any(skips) else _stand_in(tag[0]))
        end = tag.end()
    return "".join([*parts, text[end:]])


def _stand_in(tag: str) -> str:
    lines = _only_lines(tag)
    if tag.startswith("{#") or WRITES_NOTHING.match(tag):
        return lines
    relation = RELATION.match(tag)
    names = [name for _, name in TEXT.findall(relation[1])] if relation else []
    return (re.sub(r"\W", "_", names[-1]) if names else STAND_IN) + lines


def plain_template(text: str) -> str:
    """Return a template that Jinja compiles, its blocks that only dbt knows made plain."""
    return _plain_blocks(WRITES_NOTHING.sub(r"\1.of_model", SEVERAL.sub(_unpacked, GLUED.sub(" ", text))))


def macros_alone(text: str) -> str:
    """Return a file of macros without what stands between them, which dbt never renders."""
    text = COMMENT.sub(_only_lines, text)
    parts, end = [], 0
    for found in OF_MACROS.finditer(text):
        parts += [_only_lines(text[end : found.start()]), found[0]]
        end = found.end()
    unclosed = OPENS.search(text, end)  # Jinja says what is wrong with it
    return "".join(parts) + (_only_lines(text[end : unclosed.start()]) + text[unclosed.start() :] if unclosed else "")


def _only_lines(text: str | re.Match[str]) -> str:
    return "\n" * (text if isinstance(text, str) else text[0]).count("\n")


def _unpacked(found: re.Match[str]) -> str:
    """Return `{% set a, b = call() %}` so that a call of what nobody knows is something for each name."""
    start, names, sign, value, end = found.groups()
    return f"{start}{names}{sign} as_several(({value}), {names.count(',') + 1}) {end}"


def _plain_blocks(text: str) -> str:
    """Turn blocks that only dbt knows into macros, or into nothing, on the same lines."""

    def plain(found: re.Match[str]) -> str:
        start, word, rest, end = found.groups()
        if word.endswith("snapshot"):
            return "\n" * found[0].count("\n")
        if word.startswith("end"):
            return f"{start}endmacro {end}"
        name = re.match(r"\s*(\w+)\s*(\(.*\))?", rest, re.DOTALL)
        arguments = name[2] if name and name[2] and word == "test" else "()"
        return f"{start}macro {word}_{name[1] if name else 'block'}{arguments} {end}"

    return BLOCK.sub(plain, text)
