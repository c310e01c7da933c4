"""YAML of a project, read as plain values.

What belongs here: reading and writing YAML, and one kind of error. What does not: what the values mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]


class YamlError(ValueError):
    """A text that is no YAML, or a file that is no text."""


def parse(text: str) -> Any:
    """Return the value of a text; raises YamlError."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise YamlError(str(error).splitlines()[0]) from None


def read(path: Path) -> Any:
    """Return the value of a file; raises YamlError."""
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise YamlError(str(error)) from None


def write(value: Any) -> str:
    """Return a value as YAML."""
    return str(yaml.safe_dump(value))
