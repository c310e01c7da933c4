"""Following a document: its files and its changes of files, applied to a copy of the project."""

import re
from collections.abc import Callable
from pathlib import Path

BLOCK = re.compile(r"^`([\w./]+)`\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(project: Path, document: Path, apply: Callable[[str, str], str]) -> set[str]:
    """Write the document's files below `project`; return their names. `apply` applies a diff to a text."""
    written = set()
    for name, language, text in BLOCK.findall(document.read_text("utf-8")):
        path = project / name
        if language == "diff":
            path.write_text(apply(path.read_text("utf-8"), text), "utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        written.add(name)
    return written


def patched(text: str, diff: str) -> str:
    """Apply a diff whose parts are set apart by @@: the lines that were there, once, become those that shall be."""
    for part in diff.split("@@\n"):
        lines = part.splitlines()
        before, after = ("".join(f"{line[1:]}\n" for line in lines if line[:1] != sign) for sign in ("+", "-"))
        assert text.count(before) == 1, f"the document must show the file as it is:\n{before}"
        text = text.replace(before, after)
    return text
