"""Which rules and derivations replaced what the audit found in the old tree.

What belongs here: joining findings to the rulebooks and to intake, and the audit of this project's own trees. What
does not: finding anything. It is the one module of the audit that knows the pipeline.

A rule names what it replaces as `model.column`; `dbt/replaced_logic.json` keeps the definition that stood there when
that was said (`python -m olist_pipeline.audit.trace` writes it anew). What is found is migrated by its definition: the
same one under another name is, another one under that name is not. A cast that loses what it cannot read is replaced by
intake, which casts the same column of the landing file and rejects what cannot be cast.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from olist_domain.kernel.records import value_type
from olist_pipeline.audit.audit import audit, by_context
from olist_pipeline.audit.duplicates import can_be_copied, form_of
from olist_pipeline.audit.model import Audit, Clause, Finding
from olist_pipeline.audit.report import percent_done
from olist_pipeline.intake.codes import UNPARSEABLE
from olist_pipeline.migration.load import present_migration
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import DBT_DIR

OLD_TREE = DBT_DIR / "models" / "old"
NEW_TREE = DBT_DIR / "models" / "new"
DEFINITIONS = DBT_DIR / "replaced_logic.json"
CAST = "trycast("


def is_own(path: Path) -> bool:
    """Return whether a path is in a dbt project of the migration, whose findings the rulebooks replace."""
    migration = present_migration()
    return any(path.resolve().is_relative_to(folder) for folder in (migration.old_folder, migration.new_folder))


def replaced_by_rules() -> Callable[[Finding], Sequence[str]]:
    """Return what tells the names of the rules and derivations that replaced a finding, by its definition."""
    names = _rules_by_place()
    by_place: Mapping[str, Sequence[str]] = json.loads(DEFINITIONS.read_text("utf-8"))
    by_form: dict[str, list[str]] = defaultdict(list)
    for place, forms in by_place.items():
        for form in forms:
            by_form[form] += [name for name in names[place] if name not in by_form[form]]

    def replaced(finding: Finding) -> Sequence[str]:
        if finding.shape.normal.startswith(CAST):
            return _casts_of_intake(finding)
        form = _digest(finding)
        if form in by_place.get(finding.place, ()):
            return names[finding.place]
        # A condition that says little, as that a value is there, is the same rule in its own place only.
        return by_form[form] if can_be_copied(finding) else ()

    return replaced


def definitions() -> dict[str, list[str]]:
    """Return the definitions in the old tree of what rules and derivations say they replace, by place."""
    names = _rules_by_place()
    found: dict[str, list[str]] = defaultdict(list)
    for entry in audit(OLD_TREE).entries:
        place, form = entry.finding.place, _digest(entry.finding)
        if place in names and not entry.finding.shape.normal.startswith(CAST) and form not in found[place]:
            found[place].append(form)
    return {place: sorted(forms) for place, forms in sorted(found.items())}


def _digest(finding: Finding) -> str:
    """Return a short name of a definition: the clause and the canonical form."""
    is_filter = finding.clause not in (Clause.SELECT, Clause.SET)
    return hashlib.sha256(f"{is_filter} {form_of(finding)}".encode()).hexdigest()[:16]


def _rules_by_place() -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for context in CONTEXTS.values():
        for book in context.rulebooks:
            named = [(rule.code, rule.replaces) for rule in book.rules]
            named += [(derivation.name, derivation.replaces) for derivation in book.derivations]
            for name, places in named:
                for place in places:
                    names[place].append(f"{context.name} {name}")
    return names


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


if __name__ == "__main__":
    DEFINITIONS.write_text(json.dumps(definitions(), indent=1) + "\n", "utf-8")
