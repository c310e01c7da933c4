"""Which rules and derivations replaced what the audit found in the old tree.

What belongs here: joining findings to the rulebooks and to intake, and the audit of this project's own trees. What
does not: finding anything. It is the one module of the audit that knows the pipeline.

A rule names what it replaces as `model.column`. A cast that loses what it cannot read is replaced by intake, which
casts the same column of the landing file and rejects what cannot be cast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from olist_domain.kernel.records import value_type
from olist_pipeline.audit.audit import audit, by_context
from olist_pipeline.audit.model import Audit, Finding
from olist_pipeline.audit.report import percent_done
from olist_pipeline.intake.codes import UNPARSEABLE
from olist_pipeline.migration.load import present_migration
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import DBT_DIR

OLD_TREE = DBT_DIR / "models" / "old"
NEW_TREE = DBT_DIR / "models" / "new"
CAST = "trycast("


def is_own(path: Path) -> bool:
    """Return whether a path is in a dbt project of the migration, whose findings the rulebooks replace."""
    migration = present_migration()
    return any(path.resolve().is_relative_to(folder) for folder in (migration.old_folder, migration.new_folder))


def replaced_by_rules() -> Callable[[Finding], Sequence[str]]:
    """Return what tells the names of the rules and derivations that replaced a finding."""
    names: dict[str, list[str]] = defaultdict(list)
    for context in CONTEXTS.values():
        for book in context.rulebooks:
            named = [(rule.code, rule.replaces) for rule in book.rules]
            named += [(derivation.name, derivation.replaces) for derivation in book.derivations]
            for name, places in named:
                for place in places:
                    names[place].append(f"{context.name} {name}")

    def replaced(finding: Finding) -> Sequence[str]:
        if finding.shape.normal.startswith(CAST):
            return _casts_of_intake(finding)
        return names.get(finding.place, ())

    return replaced


def audit_own(
    path: Path = OLD_TREE, *, started: Callable[[int], Callable[[], None]] = lambda files: lambda: None
) -> Audit:
    """Audit one of this project's trees, joined with the rulebooks."""
    return audit(path, replaced=replaced_by_rules(), started=started)


def percent_by_context() -> dict[str, int]:
    """Return how many percent of each context's findings in the old tree are migrated or waived.

    A context whose old models are gone is not in it.
    """
    migration = present_migration()
    old = migration.old_folder / migration.old.folder
    if not any(old.rglob("*.sql")):
        return {}
    return {name: percent_done(entries) for name, entries in by_context(audit_own(old)).items()}


def _casts_of_intake(finding: Finding) -> Sequence[str]:
    """Return the codes by which intake rejects cells that the cast of a staging model would have lost."""
    table = LANDING.get(finding.model.removeprefix("stg_"))
    if table is None or not finding.model.startswith("stg_"):
        return ()
    typed = {name for name, field in table.record.model_fields.items() if value_type(field.annotation) is not str}
    return tuple(f"intake {UNPARSEABLE.of(name)}" for name in finding.inputs if name in typed)
