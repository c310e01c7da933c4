"""A whole project audited: its files, the judgement of what they hold, and what has become of it.

What belongs here: putting the parts together. What does not: any of the parts, and the rulebooks (`trace` gives
what replaces a finding).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from olist_pipeline.audit.duplicates import groups_of_copies
from olist_pipeline.audit.metrics import complexity, points, priority
from olist_pipeline.audit.model import Audit, Copies, Entry, FileAudit, Finding, Problem, State
from olist_pipeline.audit.pool import SECONDS_A_FILE, audit_files
from olist_pipeline.audit.project import Project, open_project
from olist_pipeline.audit.project_files import UnreadableFileError, read_text, shown
from olist_pipeline.audit.reading import Job
from olist_pipeline.audit.waivers import WAIVERS_FILE, Waiver, read_waivers
from olist_pipeline.errors import OlistError

Replaced = Callable[[Finding], Sequence[str]]
"""The names of the rules and derivations that replaced a finding."""


def audit(
    path: Path,
    *,
    dialect: str | None = None,
    manifest: Path | None = None,
    waivers: Path | None = None,
    replaced: Replaced = lambda finding: (),
    seconds: float = SECONDS_A_FILE,
    started: Callable[[int], Callable[[], None]] = lambda files: lambda: None,
) -> Audit:
    """Audit a dbt project, a folder of SQL or one file.

    `dialect` is that of manifest or profile unless it is given. `seconds` bound each file. `started` is called with
    the number of files, and what it returns after each file. Raises OlistError where nothing can be audited, and for
    a waiver of something that is not found.
    """
    project = open_project(path, manifest)
    spoken = dialect or project.dialect
    files = project.sql_files()
    if not files:
        raise OlistError(f"There is no .sql file in {path}; name the folder of a dbt project or of SQL files.")
    jobs = [_job(project, file) for file in files]
    start: dict[str, object] = {
        "root": str(project.root),
        "path": str(project.chosen),
        "dialect": spoken,
        "manifest": str(manifest.resolve()) if manifest else "",
    }
    audited = audit_files(jobs, start, seconds, started(len(jobs)))
    contexts = _contexts(project, files)
    file_of_waivers = waivers or project.root / WAIVERS_FILE
    place = waivers.resolve().parent if waivers else project.root
    known = read_waivers(file_of_waivers, place) if waivers or file_of_waivers.is_file() else []
    return _judged(project, spoken, audited, contexts, known, replaced, file_of_waivers)


def share_done(entries: Sequence[Entry]) -> float:
    """Return the share of findings that are migrated or waived, 0 to 1; 1 where there is nothing to do."""
    done = sum(entry.state is not State.OPEN for entry in entries)
    return done / len(entries) if entries else 1.0


def by_context(found: Audit) -> dict[str, list[Entry]]:
    """Return the entries of each context, the simplest context first: the guide begins there."""
    names = list(dict.fromkeys(entry.context for entry in found.entries))
    grouped = {name: [entry for entry in found.entries if entry.context == name] for name in names}
    return dict(sorted(grouped.items(), key=lambda item: (_points(item[1]), item[0])))


def _points(entries: Sequence[Entry]) -> int:
    return sum(points(entry.finding.metrics) for entry in entries)


def _job(project: Project, file: Path) -> Job:
    base = project.chosen if project.chosen.is_dir() else project.chosen.parent
    compiled = None
    if project.manifest:
        try:
            compiled = project.compiled(file, read_text(file, project.root))
        except UnreadableFileError:
            compiled = None  # the worker says why
    return Job(str(file), shown(file.relative_to(base)), compiled)


def _contexts(project: Project, files: Sequence[Path]) -> dict[str, str]:
    named = project.contexts()
    return {file.stem: project.context_of(file, named) for file in files}


def _judged(
    project: Project,
    dialect: str,
    audited: Sequence[FileAudit],
    contexts: Mapping[str, str],
    waivers: Sequence[Waiver],
    replaced: Replaced,
    file_of_waivers: Path,
) -> Audit:
    findings = sorted((item for file in audited for item in file.findings), key=lambda f: (f.file, f.line, f.column))
    copies = groups_of_copies(findings)
    entries = _entries(findings, copies, contexts)
    reasons = {waiver.place: waiver.reason for waiver in waivers}
    stated = [_with_state(entry, replaced(entry.finding), reasons.get(entry.finding.place)) for entry in entries]
    _refuse_idle_waivers(project, stated, waivers, contexts, file_of_waivers)
    technical = [item for file in audited for item in file.technical]
    problems: list[Problem] = [item for file in audited for item in file.problems]
    return Audit(
        str(project.chosen),
        dialect,
        len(audited),
        tuple(stated),
        tuple(technical),
        tuple(problems),
        tuple(copies),
        contexts,
    )


def _entries(findings: Sequence[Finding], copies: Sequence[Copies], contexts: Mapping[str, str]) -> list[Entry]:
    exact: Counter[int] = Counter()
    near: Counter[int] = Counter()
    for group in copies:
        for finding in group.findings:
            (exact if group.exact else near)[id(finding)] += len(group.findings) - (not group.exact)
    found = []
    for finding in findings:
        level = complexity(finding.metrics)
        same, others = max(exact[id(finding)], 1), near[id(finding)]
        urgency = priority(finding.kind, level, same, others)
        found.append(Entry(finding, contexts.get(finding.model, "none"), level, urgency, same, others))
    return found


def _with_state(entry: Entry, rules: Sequence[str], reason: str | None) -> Entry:
    if rules:
        return replace(entry, state=State.MIGRATED, by=", ".join(rules))
    return entry if reason is None else replace(entry, state=State.WAIVED, by=reason)


def _refuse_idle_waivers(
    project: Project, entries: Sequence[Entry], waivers: Sequence[Waiver], contexts: Mapping[str, str], file: Path
) -> None:
    """Raise OlistError for a waiver of an audited model that waives nothing: what it spoke of is gone or migrated."""
    waived = {entry.finding.place for entry in entries if entry.state is State.WAIVED}
    looks_at_all = project.chosen == project.root
    idle = [w.place for w in waivers if w.place not in waived and (looks_at_all or w.model in contexts)]
    if idle:
        raise OlistError(f"{file} waives what is not there or is migrated: {', '.join(idle)}; take the entry out.")
