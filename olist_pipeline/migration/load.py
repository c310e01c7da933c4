"""Finding and reading the migration file.

What belongs here: where it is, and one sentence for each way in which it cannot be read. What does not: its form (see
`model`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from olist_pipeline import yaml_text
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.model import WORDS, Migration
from olist_pipeline.near import nearest
from olist_pipeline.settings import migration_file

PLAINLY = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping, as {name: value}",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "list_type": "must be a list, as [a, b]",
    "literal_error": "must be 1",
    "missing": "is missing",
    "model_attributes_type": "must be a mapping, as {name: value}",
    "model_type": "must be a mapping, as {name: value}",
    "string_pattern_mismatch": "must not be blank",
    "string_too_short": "must not be empty",
    "string_type": "must be a text",
    "too_short": "must name one at least",
    "tuple_type": "must be a list, as [a, b]",
}
"""What the kinds of a wrong value are called here; what is not listed is said in words of our own already."""


CALLED = ("old", "seed", "path", "extension")
"""What an entry of a list is called by: a pair by its old table."""


def present_migration(env: Mapping[str, str] = os.environ) -> Migration:
    """Return the migration of an environment (see `settings.migration_file`)."""
    return load_migration(migration_file(env))


@lru_cache(maxsize=8)
def load_migration(path: Path) -> Migration:
    """Return the migration that a file describes; raises OlistError with the first thing that is wrong with it."""
    try:
        values = yaml_text.parse(path.read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        refused = f"{error.strerror}; set OLIST_MIGRATION to another" if isinstance(error, OSError) else ""
        said = refused or "it is not UTF-8; save it so"
        raise OlistError(f"The migration file {path} cannot be read: {said}.") from error
    except yaml_text.YamlError as error:
        raise OlistError(f"{path} is not YAML: {error}.") from error
    if not isinstance(values, dict) or "path" in values:
        wrong = "is empty" if values is None else "says `path`" if isinstance(values, dict) else "is no mapping"
        raise OlistError(f"{path} {wrong}; write it like the one in docs/migration_file.md.")
    text = json.dumps({**values, "path": str(path)}, default=str)
    if "\\u0000" in text:
        raise OlistError(f"{path}: a text holds a NUL character (\\0), which no name and no path can; take it out.")
    try:
        return Migration.model_validate_json(text)
    except ValidationError as error:
        # A word that is mistyped is missing, too: the word that is there says why.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        *within, last = _place(values, first["loc"]) or ["the file"]
        own = " ".join(first["msg"].removeprefix("Value error, ").split())
        where, said = ".".join([*within, last]), PLAINLY.get(first["type"], own)
        if first["type"] == "extra_forbidden":
            meant = f" (did you mean {near}?)" if (near := nearest(last, WORDS)) else ""
            where, said = ".".join(within) or "the file", f"{last} is no word of it{meant}"
        raise OlistError(f"{path}: {where}: {said}; docs/migration_file.md has the form.") from error


def _place(values: Any, location: Sequence[str | int]) -> list[str]:
    """Return where a value stands in the file: an entry of a list by what it is called, else by its number."""
    place = []
    for part in location:
        # What is missing, and the kinds that the form tells apart, are parts that the file does not have.
        with suppress(LookupError, TypeError):
            values = values[part]
        called = [values.get(name) for name in CALLED] if isinstance(part, int) and isinstance(values, dict) else []
        place.append(next((name for name in called if name and isinstance(name, str)), str(part)))
    return place


class _Loader(yaml.SafeLoader):
    """A loader that takes neither the last of two entries of one name nor a name that YAML reads as another value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping whose keys are texts, each once."""
        seen = set[str]()
        for key, _ in node.value:
            name = "<<" if key.tag.endswith(":merge") else self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} is no text here; quote it", problem_mark=key.start_mark
                )
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"{name} stands twice; keep one", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
