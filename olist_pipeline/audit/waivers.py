"""Findings that stay in SQL, each with a reviewed reason.

What belongs here: reading the file of waivers. What does not: the rulebooks (`trace`).

The file is a list: `- {model: dim_date, column: is_weekend, reason: A calendar is technical.}`
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.audit.project_files import read_yaml
from olist_pipeline.errors import OlistError
from olist_pipeline.yaml_text import YamlError

WAIVERS_FILE = "audit_waivers.yml"


@dataclass(frozen=True)
class Waiver:
    """One finding that is left where it is, and why."""

    model: str
    column: str
    reason: str

    @property
    def place(self) -> str:
        """Return `model.column`."""
        return f"{self.model}.{self.column}"


def read_waivers(path: Path, root: Path) -> list[Waiver]:
    """Return the waivers of a file below `root`; raises OlistError where it is no list of model, column and reason."""
    if not path.is_file():
        raise OlistError(f"There is no file of waivers {path}; name one with --waivers, or leave that out.")
    try:
        content = read_yaml(path, root)
    except YamlError as error:
        raise OlistError(f"{path} cannot be read as YAML: {error}.") from None
    if content is None:
        return []
    if not isinstance(content, list):
        raise OlistError(f"{path} must be a list of entries with model, column and reason.")
    waivers = [_waiver(path, number, entry) for number, entry in enumerate(content, 1)]
    places = [waiver.place for waiver in waivers]
    for place in places:
        if places.count(place) > 1:
            raise OlistError(f"{path} waives {place} more than once; one reason is enough.")
    return waivers


def _waiver(path: Path, number: int, entry: object) -> Waiver:
    keys = ("model", "column", "reason")
    if not isinstance(entry, dict) or set(entry) != set(keys) or not all(str(entry[key] or "").strip() for key in keys):
        raise OlistError(f"Entry {number} of {path} must have model, column and reason, and nothing else.")
    return Waiver(*(" ".join(str(entry[key]).split()) for key in keys))
