"""The version of Dagster's tables: the database's, and the one that the installed Dagster needs.

What belongs here: asking for both, without importing Dagster, which takes more than a second. What does not: raising
the version (`storage`).

Private: the folder in which Dagster keeps the revisions of its tables. Publicly, only an instance knows.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.stores.postgres import query

REVISIONS = Path("_core", "storage", "alembic", "versions")
_ASSIGNED = r'^{name}(?:\s*:[^=]+)?\s*=\s*["\'](\w+)["\']'


def storage_versions(url: str) -> tuple[str | None, str]:
    """Return the versions of Dagster's tables that the database has, None without them, and that Dagster needs."""
    [row] = query(url, "SELECT to_regclass('public.alembic_version') IS NOT NULL AS is_there")
    found = query(url, "SELECT version_num FROM public.alembic_version") if row["is_there"] else []
    return (found[0]["version_num"] if found else None), needed_version()


def needed_version() -> str:
    """Return the revision that no other one follows."""
    revisions, followed = _revisions()
    [head] = revisions - followed
    return head


def refuse_unknown(version: str | None) -> None:
    """Raise OlistError for a version of `public.alembic_version` that the installed Dagster knows no way from."""
    if version is not None and version not in _revisions()[0]:
        raise OlistError(
            f"The table public.alembic_version says {version}, which this Dagster does not know: update the program if"
            " it is a newer Dagster's; where it is another program's, give the pipeline a database of its own."
        )


def _revisions() -> tuple[set[str], set[str]]:
    """Return all revisions of Dagster's tables, and those that another one follows, by the texts of the revisions."""
    spec = find_spec("dagster")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(next(iter(spec.submodule_search_locations)), REVISIONS)
    texts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    revisions, followed = (
        {match[1] for text in texts if (match := re.search(_ASSIGNED.format(name=name), text, re.MULTILINE))}
        for name in ("revision", "down_revision")
    )
    return revisions, followed
