"""The manifest that dbt writes of a project.

What belongs here: finding and reading it. What does not: what it says (`project`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from olist_pipeline.audit.project_files import UnreadableFileError, read_bytes
from olist_pipeline.errors import OlistError

MOST_BYTES_OF_MANIFEST = 2_000_000_000


def read_manifest(root: Path, settings: Mapping[str, Any], named: Path | None) -> tuple[Mapping[str, Any], list[str]]:
    """Return dbt's manifest, and what is wrong with it: what a person named, else that of the project.

    There is none where it lies outside of the project. Raises OlistError for one that was named and cannot be read.
    """
    path = named or root / str(settings.get("target-path") or "target").replace("\0", "") / "manifest.json"
    if not path.is_file():
        if named:
            raise OlistError(f"There is no manifest at {named}; `dbt compile` writes one to target/manifest.json.")
        return {}, []
    place = named.resolve().parent if named else root
    if not path.resolve().is_relative_to(place):
        return {}, []
    try:
        content = json.loads(read_bytes(path, place, MOST_BYTES_OF_MANIFEST))
    except (ValueError, RecursionError, UnreadableFileError) as error:
        said = f"{path} cannot be read as a manifest ({str(error).rstrip('.')}); run `dbt compile` again or remove it."
        if named:
            raise OlistError(said) from None
        return {}, [said]
    return content if isinstance(content, Mapping) else {}, []
