"""YAML that people write, read as plain values.

What belongs here: reading and writing YAML, one kind of error, which says where, and the marks that git leaves in any
text. What does not: files, and what the values mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import yaml

MOST_CHARACTERS = 20_000_000
"""A text whose aliases would write out to more than that is refused: a few lines of them can stand for a whole disk."""

BROKEN = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What the parser raises, on purpose or not, for a text that is no YAML."""


_MARK = re.compile(r"([<|=>])\1{6}(?: .*)?")
UNMERGED = "it holds a merge that is not finished (<<<<<<<)"


class YamlError(ValueError):
    """A text that is no YAML, or a file that cannot be read."""


def parse(text: str, kind: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """Return the value of a text, as a kind of loader makes it; raises YamlError."""
    node = compose(text)
    return None if node is None else value_of(node, kind)


def compose(text: str) -> yaml.Node | None:
    """Return the nodes of a text, which know their lines; None where it is empty. Raises YamlError."""
    if line := conflict_in(text):
        raise YamlError(f"{UNMERGED} in line {line}")
    with _plainly():
        loader = yaml.SafeLoader(text)
        try:
            node: yaml.Node | None = loader.get_single_node()
            if node is not None:
                _size(node, {})
        finally:
            loader.dispose()
    return node


def conflict_in(text: str) -> int | None:
    """Return the line at which git marked two versions of a text, None where it did not."""
    return next((start + 1 for start, _, _ in _conflicts(text.split("\n"))), None)


def first_version(text: str) -> str:
    """Return a text with the first of the two versions wherever git marked two; its lines keep their numbers."""
    lines = text.split("\n")
    for start, middle, end in list(_conflicts(lines)):
        lines[start] = ""
        lines[middle : end + 1] = [""] * (end + 1 - middle)
    return "\n".join(lines)


def _conflicts(lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield at which lines, counted from 0, two versions begin, the first of them ends, and the second does."""
    start = middle = None
    for number, line in enumerate(lines):
        found = _MARK.fullmatch(line.removesuffix("\r"))
        mark = found[1] if found else ""
        if mark == "<" and start is None:
            start = number
        elif mark in ("|", "=") and start is not None and middle is None:
            middle = number
        elif mark == ">" and start is not None and middle is not None:
            yield start, middle, number
            start = middle = None


def value_of(node: yaml.Node, kind: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """Return the value that a node stands for; raises YamlError."""
    loader = kind("")
    with _plainly():
        try:
            return loader.construct_document(node)
        finally:
            loader.dispose()


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(_sentence(error)) from None
    except RecursionError:
        raise YamlError("it is nested too deeply") from None


def write(value: Any) -> str:
    """Return a value as YAML; raises YamlError for one that YAML has no form for."""
    try:
        return str(yaml.safe_dump(value))
    except yaml.YAMLError as error:
        raise YamlError(str(error).splitlines()[0]) from None


def _sentence(error: Exception) -> str:
    """Return what is wrong, and where, if that is known: `mapping values are not allowed here in line 3, column 7`."""
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or error) or "not well formed"
    return said.splitlines()[0] + (f" in line {mark.line + 1}, column {mark.column + 1}" if mark else "")


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return how many characters a node stands for with its aliases written out; raises YamlError for too many."""
    known = sizes.get(id(node))
    if known is not None:
        return known
    sizes[id(node)] = MOST_CHARACTERS  # until it is known: a node that holds itself has no end
    if isinstance(node, yaml.ScalarNode):
        size = 1 + len(node.value)
    elif isinstance(node, yaml.MappingNode):
        size = 1 + sum(_size(key, sizes) + _size(value, sizes) for key, value in node.value)
    else:
        size = 1 + sum(_size(item, sizes) for item in node.value)
    if size > MOST_CHARACTERS:
        raise YamlError("its aliases stand for more than can be read")
    sizes[id(node)] = size
    return size
