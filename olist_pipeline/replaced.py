"""What rules and derivations say that they replace in the old project, and whether it has that.

What belongs here: the places (`model.column`) of all rulebooks, the definitions that were kept of them, and refusing a
place that old never had. What does not: finding logic in SQL (`audit`), and joining findings to rules (`audit.trace`).
"""

from __future__ import annotations

import inspect
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import present_migration
from olist_pipeline.migration.model import bare_name
from olist_pipeline.near import nearest, unknown
from olist_pipeline.registry import CONTEXTS

DEFINITIONS = "replaced_logic.json"
"""The file beside the migration file with the definitions of what was replaced."""

SKIPPED = frozenset({"target", "logs", "node_modules", "venv", "__pycache__"})
"""Folders that hold nothing of a project's own."""

_GLUED = re.compile(r"\w\{\{|\}\}\w")
"""A name that Jinja makes a part of, which the text does not have as a word."""

_STAR = re.compile(r"(?:\bselect(?:\s+distinct)?|[,.])\s*\*|\bstar\s*\(", re.IGNORECASE)
"""Columns of another model, which the text of that one names."""


def rules_by_place() -> dict[str, list[str]]:
    """Return the names of the rules and derivations that replace a place, by the place."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, places, _ in _items():
        for place in places:
            names[place].append(name)
    return names


def kept_definitions() -> Mapping[str, Sequence[str]] | None:
    """Return the definitions that were kept of what was replaced, by place; None where none were."""
    path = present_migration().path.parent / DEFINITIONS
    if not path.is_file():
        return None
    try:
        kept: Mapping[str, Sequence[str]] = json.loads(path.read_text("utf-8"))
        return {place: list(forms) for place, forms in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise OlistError(
            f"{path} cannot be read ({error}); `python -m olist_pipeline.audit.trace` writes it anew."
        ) from error


def refuse_unknown_places() -> None:
    """Raise OlistError for a place whose model or column the old project does not have, nor had when it was kept."""
    names, known = rules_by_place(), kept_definitions() or {}
    migration = present_migration()
    project, tree = migration.old_folder, migration.old_folder / migration.old.folder
    texts = {path: f"{path.stem}\n{path.read_text('utf-8', errors='replace')}" for path in _files(project)}
    by_model = {path.stem: text for path, text in texts.items() if path.suffix == ".sql" and path.is_relative_to(tree)}
    if not {bare_name(pair.old) for pair in migration.pairs} <= by_model.keys():
        return  # old has been removed, as far as it was retired, and nobody knows what it had
    models = {*by_model, *(place.partition(".")[0] for place in known)}
    for place in (place for place in names if place not in known):
        model, _, column = place.partition(".")
        if not _is_word(column, by_model.get(model, "")):
            _look_everywhere(place, names[place][0], models, list(texts.values()))


def _look_everywhere(place: str, name: str, models: set[str], texts: Sequence[str]) -> None:
    """Raise OlistError for a place that no file of the old project has: many stand elsewhere than in a file of theirs.

    A snapshot, an alias or a test may be called otherwise than its file, and a macro makes columns of any model.
    """
    model, _, column = place.partition(".")
    own = [text for text in texts if _is_word(model, text)]
    if model not in models and not own:
        raise unknown(f"old model (of {place}, which {name} replaces{_where(name)})", model, models)
    macros = [text for text in texts if "{% macro" in text]
    naming = texts if any(map(_STAR.search, own)) else own + macros
    if own and not (any(_is_word(column, text) for text in naming) or any(map(_GLUED.search, own + macros))):
        near = nearest(column, {word for text in own for word in re.findall(r"\w+", text)})
        meant = f"did you mean {near}?" if near else "`replaces` takes model.column."
        said = f"There is no column {column!r} of the old model {model}, which {name} replaces{_where(name)}"
        raise OlistError(f"{said}; {meant}")


def _items() -> Iterator[tuple[str, tuple[str, ...], Callable[..., Any]]]:
    """Yield the name of each rule and derivation, what it replaces, and its function."""
    for context in CONTEXTS.values():
        for book in context.rulebooks:
            for rule in book.rules:
                yield f"{context.name} {rule.code}", rule.replaces, rule.holds
            for derivation in book.derivations:
                yield f"{context.name} {derivation.name}", derivation.replaces, derivation.compute


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        files = (Path(parent, name) for name in names if name.endswith((".sql", ".yml", ".yaml")))
        yield from (file for file in files if file.is_file())


def _where(name: str) -> str:
    functions = (inspect.unwrap(function) for own, _, function in _items() if own == name)
    code = next((getattr(function, "__code__", None) for function in functions), None)
    return f", {Path(code.co_filename)}:{code.co_firstlineno}" if code else ""


def _is_word(name: str, text: str) -> bool:
    return bool(name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))
