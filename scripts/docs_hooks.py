"""What mkdocs does besides for the site (`make docs`): pages from outside docs/, and links to files of the project.

What belongs here: which file is where on the site. What does not: what the pages say, and the order of the pages
(`mkdocs.yml`). Documents link as they do in a checkout; here a link to a document becomes one to its page, and a link
to code one to a copy of the file, as text. A link to what is not there stays as it is, and `mkdocs build --strict`
fails on it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "dbt/README.md": "project/dbt.md",
}
"""Documents that are not in docs/, and their pages."""

INSIDE = {page: source for source, page in OUTSIDE.items()}
LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)#\s]+)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


MERMAID, MERMAID_PAGE = PROJECT / "build" / "docs" / "mermaid.min.js", "assets/mermaid.min.js"
"""What draws the diagrams, where `make docs` could bring it along; else browsers load it from elsewhere."""


def on_config(config: Any) -> Any:
    """Load what draws the diagrams from the site itself, where it is there."""
    if MERMAID.is_file():
        config.extra_javascript.append(MERMAID_PAGE)
    return config


def on_files(files: Files, *, config: Any) -> Files:
    """Add the documents from outside, and every file of code that some document links to."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(PROJECT / source)))
    if MERMAID.is_file():
        files.append(File.generated(config, MERMAID_PAGE, abs_src_path=str(MERMAID)))
    linked = set()
    for file in list(files.documentation_pages()):
        source = _source(file.src_uri)
        for _, target in _links((PROJECT / source).read_text("utf-8")):
            if _is_code(path := _resolved(source, target)):
                linked.add(path)
    for path in sorted(linked):
        files.append(File.generated(config, _copy(path), abs_src_path=str(PROJECT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Let links lead to the pages and copies of the files that they name."""
    source, here = _source(page.file.src_uri), PurePosixPath(page.file.src_uri).parent

    def replaced(found: re.Match[str]) -> str:
        path = _resolved(source, found[2])
        target = OUTSIDE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if target is None and _is_code(path):
            target = _copy(path)
        return f"{found[1]}{posixpath.relpath(target, here)}" if target else found[0]

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)


def _links(text: str) -> list[tuple[str, str]]:
    return [link for part in FENCE.split(text)[::2] for link in LINK.findall(part)]


def _source(page: str) -> str:
    return INSIDE.get(page, f"docs/{page}")


def _resolved(source: str, target: str) -> str:
    """Return the file of the project that a link leads to; of a folder, the one that says what is in it."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    inside = (posixpath.join(path, name) for name in ("README.md", "__init__.py"))
    return next((file for file in inside if (PROJECT / file).is_file()), path)


def _is_code(path: str) -> bool:
    return not path.startswith(("docs/", "../")) and path not in OUTSIDE and (PROJECT / path).is_file()


def _copy(path: str) -> str:
    return f"source/{path}.txt"
