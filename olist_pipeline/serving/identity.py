"""Which warehouse a home serves, and that no other one takes its place.

What belongs here: this refusal. What does not: whose a home is among users (`owners`). A rollback does not come here,
for it imports no contexts.
"""

from __future__ import annotations

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import bare_name
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving.release import last_readable
from olist_pipeline.settings import Settings


def refuse_another_warehouse(settings: Settings) -> None:
    """Raise OlistError where the home serves other contexts and other tables than the migration file has.

    A shell without its OLIST_MIGRATION would have this repository's own warehouse take the place of a person's.
    """
    release, migration = last_readable(settings.serving), load_migration(settings.migration)
    tables = {pair.name for pair in migration.pairs} | {bare_name(name) for name in migration.served}
    if release and not (tables & release.tables.keys() or CONTEXTS.keys() & release.routes.keys()):
        served = ", ".join(sorted(release.tables)[:3])
        raise OlistError(
            f"{settings.home} serves another warehouse ({served}) than {settings.migration} describes; set "
            "OLIST_MIGRATION to its file, or OLIST_HOME to another folder."
        )
