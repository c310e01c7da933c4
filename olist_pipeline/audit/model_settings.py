"""What settings say of one model: its bounded context, and whether it is switched on.

What belongs here: reading settings that somebody found. What does not: where they stand (`project`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LAYERS = frozenset(
    (
        *("staging", "stg", "base", "raw", "sources", "prep", "bronze", "landing", "intermediate", "int", "silver"),
        *("core", "marts", "mart", "gold", "platinum", "dimensions", "dims", "dim", "facts", "fact", "fct", "report"),
        *("reports", "reporting", "analytics", "warehouse", "models", "sql", "old", "new"),
    )
)
"""Names of folders that tell how far a model is from its sources, and nothing about what it is of."""
OFF = frozenset({"false", "no", "off", "0"})


def is_layer(folder: str) -> bool:
    """Return whether a folder's name is that of a layer, numbered or not: `staging`, `2_marts`."""
    return re.sub(r"^\d+[_.-]*", "", folder.lower()) in LAYERS


def context_in(settings: Mapping[str, Any]) -> str:
    """Return the context that settings of a model name: `meta.context`, else its group; '' where they name none."""
    for key in ("meta", "+meta"):
        if context := _mapping(settings.get(key)).get("context"):
            return str(context)
    group = settings.get("group") or settings.get("+group")
    return group if isinstance(group, str) else ""


def enabled_in(settings: Mapping[str, Any]) -> Any:
    """Return what settings say of whether a model is switched on, None where they say nothing."""
    said = settings.get("+enabled", settings.get("enabled"))
    return None if isinstance(said, Mapping) else said  # a folder may be called so


def is_off(said: Any) -> bool:
    """Return whether what `enabled` says, no template any more, switches a model off; what nobody knows does not."""
    return str(said).strip().lower() in OFF


def along(settings: Mapping[str, Any], parts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the settings of a path, from the outermost folder to the file."""
    yield settings
    for part in parts:
        settings = _mapping(settings.get(part))
        yield settings


def versions_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what properties say of each version of a model, by the names that its file may have."""
    versions = entry.get("versions")
    for version in map(_mapping, versions if isinstance(versions, list) else ()):
        config = {**_mapping(entry.get("config")), **_mapping(version.get("config"))}
        names = (f"{entry.get('name')}{sign}v{version.get('v')}" for sign in "_.")
        yield from ((str(name), {**entry, "config": config}) for name in (version.get("defined_in"), *names) if name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
