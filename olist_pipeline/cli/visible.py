"""Visible text: what would steer a terminal, written as codes.

What belongs here: that alone, for whatever is printed that others wrote. What does not: markup and tables (`output`).
"""

from __future__ import annotations

import json
import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON that steers no terminal, dates and ids as text.

    JSON lets stand what some terminals take for an escape: its strings have it as code.
    """
    text = json.dumps(value, indent=indent, default=str, ensure_ascii=False)
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def visible(text: str) -> str:
    """Return a text that steers no terminal, whoever wrote it: each control character but tab and line feed as code."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
