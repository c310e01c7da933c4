"""Which rules and derivations replaced what the audit found in the old tree.

What belongs here: joining findings to the rulebooks and to intake, and the audit of the two trees of the migration.
What does not: finding anything. It is the one module of the audit that knows the pipeline.

A rule names what it replaces as `model.column`; `replaced_logic.json` beside the migration file keeps the definition
that stood there when that was said (`python -m olist_pipeline.audit.trace` writes it anew); without that file it is
what stands there now. What is found is migrated by its definition: the same one under another name is, another one
under that name is not. A cast that loses what it cannot read is replaced by intake, which casts the same column of the
landing file and rejects what cannot be cast.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from olist_domain.kernel.records import value_type
from olist_pipeline.audit.audit import Replaced, audit, by_context
from olist_pipeline.audit.duplicates import can_be_copied, form_of
from olist_pipeline.audit.model import Audit, Clause, Entry, Finding
from olist_pipeline.audit.waivers import WAIVERS_FILE
from olist_pipeline.intake.codes import UNPARSEABLE
from olist_pipeline.migration.load import present_migration
from olist_pipeline.registry import LANDING
from olist_pipeline.replaced import DEFINITIONS, kept_definitions, rules_by_place

CAST = "trycast("


def old_tree() -> Path:
    """Return the folder of the old models of the present migration."""
    migration = present_migration()
    return migration.old_folder / migration.old.folder


def new_tree() -> Path:
    """Return the folder of the new models of the present migration."""
    migration = present_migration()
    return migration.new_folder / migration.new.folder


def is_own(path: Path) -> bool:
    """Return whether a path is in a dbt project of the migration, whose findings the rulebooks replace."""
    migration = present_migration()
    return any(path.resolve().is_relative_to(folder) for folder in (migration.old_folder, migration.new_folder))


def replaced_by_rules() -> Callable[[Finding], Sequence[str]]:
    """Return what tells the names of the rules and derivations that replaced a finding, by its definition."""
    names = rules_by_place()
    by_place = _known_definitions()
    by_form: dict[str, list[str]] = defaultdict(list)
    for place, forms in by_place.items():
        for form in forms:
            by_form[form] += [name for name in names.get(place, ()) if name not in by_form[form]]

    def replaced(finding: Finding) -> Sequence[str]:
        if finding.shape.normal.startswith(CAST):
            return _casts_of_intake(finding)
        form = _digest(finding)
        if form in by_place.get(finding.place, ()):
            return names.get(finding.place, ())
        # A condition that says little, as that a value is there, is the same rule in its own place only.
        return by_form[form] if can_be_copied(finding) else ()

    return replaced


def definitions() -> dict[str, list[str]]:
    """Return the definitions in the old tree of what rules and derivations say they replace, by place."""
    names = rules_by_place()
    found: dict[str, list[str]] = defaultdict(list)
    for entry in _audited(old_tree(), lambda finding: ()).entries:
        place, form = entry.finding.place, _digest(entry.finding)
        if place in names and not entry.finding.shape.normal.startswith(CAST) and form not in found[place]:
            found[place].append(form)
    return {place: sorted(forms) for place, forms in sorted(found.items())}


def _digest(finding: Finding) -> str:
    """Return a short name of a definition: the clause and the canonical form."""
    is_filter = finding.clause not in (Clause.SELECT, Clause.SET)
    return hashlib.sha256(f"{is_filter} {form_of(finding)}".encode()).hexdigest()[:16]


def audit_old() -> Audit:
    """Audit the old tree of the present migration, joined with the rulebooks."""
    return _audited(old_tree(), replaced_by_rules())


def audit_new() -> Audit:
    """Audit the new tree of the present migration, joined with the rulebooks."""
    return _audited(new_tree(), replaced_by_rules())


def by_context_of_migration(found: Audit) -> dict[str, list[Entry]]:
    """Return the entries of each context: that to which the migration file assigns a model, else the project's own."""
    migration = present_migration()
    grouped: dict[str, list[Entry]] = defaultdict(list)
    for name, entries in by_context(found).items():
        for entry in entries:
            grouped[migration.context_of(entry.finding.model) or name].append(entry)
    return dict(grouped)


def _audited(path: Path, replaced: Replaced) -> Audit:
    migration = present_migration()
    waivers = migration.path.parent / WAIVERS_FILE
    known = waivers if waivers.is_file() else None
    if path != old_tree():
        return audit(path, replaced=replaced, waivers=known)
    return audit(path, replaced=replaced, waivers=known, target=migration.old_target, variables=migration.old_variables)


def _known_definitions() -> Mapping[str, Sequence[str]]:
    """Return the definitions that were kept; those of the old tree as it is where none were."""
    kept = kept_definitions()
    return kept if kept is not None else definitions() if holds_sql(old_tree()) else {}


def holds_sql(tree: Path) -> bool:
    """Return whether there is any SQL below a folder, which need not exist."""
    return any(tree.rglob("*.sql"))


def _casts_of_intake(finding: Finding) -> Sequence[str]:
    """Return the codes by which intake rejects cells that the cast of a staging model would have lost.

    A staging model is called like its landing table, or ends so: `stg_rides`, `raw_rides`.
    """
    tables = [table for table in LANDING.values() if f"_{finding.model.lower()}".endswith(f"_{table.name.lower()}")]
    if not tables:
        return ()
    fields = max(tables, key=lambda table: len(table.name)).record.model_fields
    typed = {name.lower() for name, field in fields.items() if value_type(field.annotation) is not str}
    return tuple(f"intake {UNPARSEABLE.of(name)}" for name in finding.inputs if name.lower() in typed)


if __name__ == "__main__":
    (present_migration().path.parent / DEFINITIONS).write_text(json.dumps(definitions(), indent=1) + "\n", "utf-8")
