"""The audit of the two trees of the migration, kept until something changes that it depends on.

What belongs here: counting what is left to do by context, and keeping the counts in a file. What does not: the audit
itself, and what a count means for the migration.

An audit takes seconds of CPU and changes only with the code and the SQL, so whoever only shows its result reads it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from olist_pipeline.files import replacing


@dataclass(frozen=True)
class AuditCounts:
    """What the audit counts of the two trees, by context.

    findings and moved: the pieces of business logic in the old tree, and how many of them are migrated or waived.
    cases: the CASE expressions that hold business logic in the new tree.
    """

    findings: dict[str, int]
    moved: dict[str, int]
    cases: dict[str, int]

    def percent(self, context: str) -> int | None:
        """Return how many percent of a context's logic have moved, 100 only where all have; None without any."""
        return self.moved.get(context, 0) * 100 // self.findings[context] if self.findings.get(context) else None


def counted(path: Path, key: str) -> AuditCounts:
    """Return the counts as `path` keeps them for `key`, a hash of the code and the SQL; audit where it does not."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["key"] == key:
            return AuditCounts(**kept["counted"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no file yet, or none that can be read: it is only kept to save time
    found = _count()
    with suppress(OSError):  # a home that cannot be written, or a full disk, keeps nobody from looking
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"key": key, "counted": asdict(found)}), "utf-8")
    return found


@cache
def _count() -> AuditCounts:
    """Return what stands in the files now, which do not change while a command runs."""
    # Imported here, for the parser takes as long as everything else that a command needs.
    from olist_pipeline.audit.model import State
    from olist_pipeline.audit.trace import audit_new, audit_old, by_context_of_migration, holds_sql, new_tree, old_tree

    old = by_context_of_migration(audit_old()) if holds_sql(old_tree()) else {}
    new = by_context_of_migration(audit_new()) if holds_sql(new_tree()) else {}
    return AuditCounts(
        findings={name: len(entries) for name, entries in old.items()},
        moved={name: sum(entry.state is not State.OPEN for entry in entries) for name, entries in old.items()},
        cases={name: sum(entry.finding.cases for entry in entries) for name, entries in new.items()},
    )
