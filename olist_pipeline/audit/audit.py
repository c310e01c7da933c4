"""A whole project audited: its files, the judgement of what they hold, and what has become of it.

What belongs here: putting the parts together. What does not: any of the parts, and the rulebooks (`trace` gives
what replaces a finding).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from olist_pipeline.audit.data_tests import without_what_models_say
from olist_pipeline.audit.dialects import Spoken, of_sql
from olist_pipeline.audit.duplicates import form_of, groups_of_copies, pivots_that_differ
from olist_pipeline.audit.metrics import complexity, points, priorities, urgency
from olist_pipeline.audit.model import (
    SECONDS_A_FILE,
    Audit,
    Copies,
    Entry,
    FileAudit,
    Finding,
    Problem,
    State,
    Technical,
)
from olist_pipeline.audit.pivots import PIVOT
from olist_pipeline.audit.pool import audit_files
from olist_pipeline.audit.profiles import Target
from olist_pipeline.audit.project import PROJECT_FILE, SKIPPED, Project, open_project
from olist_pipeline.audit.project_files import UnreadableFileError, read_text, shown, walk
from olist_pipeline.audit.reading import Job, Role
from olist_pipeline.audit.relations import unversioned
from olist_pipeline.audit.waivers import WAIVERS_FILE, Waiver, read_waivers
from olist_pipeline.errors import OlistError

MOST_NAMED = 5
Replaced = Callable[[Finding], Sequence[str]]
"""The names of the rules and derivations that replaced a finding."""


def audit(
    path: Path,
    *,
    dialect: str | None = None,
    target: str = "",
    manifest: Path | None = None,
    waivers: Path | None = None,
    variables: Mapping[str, Any] | None = None,
    replaced: Replaced = lambda finding: (),
    seconds: float = SECONDS_A_FILE,
    origins: bool = False,
    said: Callable[[Spoken, Target], None] = lambda spoken, target: None,
    started: Callable[[int], Callable[[], None]] = lambda files: lambda: None,
) -> Audit:
    """Audit a dbt project, a folder of SQL or one file.

    `dialect` and `target` are those of the project unless they are given; `said` is called with them first. `variables`
    come before those of the project. `seconds` bound each file. With `origins` findings say where their columns come
    from. `started` is called with the number of files, and what it returns after each file. Raises OlistError where
    nothing can be audited.
    """
    project = open_project(path, manifest, target)
    files = project.sql_files()
    if not files and not (project.chosen.is_file() and project.property_files()):
        raise OlistError(_nothing_in(project, path))
    file_of_waivers = waivers or project.root / WAIVERS_FILE
    place = waivers.resolve().parent if waivers else project.root
    known = read_waivers(file_of_waivers, place) if waivers or file_of_waivers.is_file() else []
    spoken = Spoken(dialect, "--dialect") if dialect else project.spoken
    said(spoken, project.target)
    jobs = _jobs(project, files)
    start: dict[str, object] = {
        "root": str(project.root),
        "path": str(project.chosen),
        "dialect": spoken.dialect,
        "target": target,
        "manifest": str(manifest.resolve()) if manifest else "",
        "vars": dict(variables or {}),
        "origins": origins,
    }
    audited = _without_switched_off(audit_files(jobs, start, seconds, started(len(jobs))))
    contexts = _contexts(project, files, audited)
    entries, copies = _judged(audited, contexts, {waiver.place: waiver.reason for waiver in known}, replaced)
    problems = [*_problems_of_settings(project), *(item for file in audited for item in file.problems)]
    return Audit(
        str(project.chosen),
        spoken.dialect,
        len(files) or 1,
        tuple(entries),
        tuple(_technical(audited, entries)),
        tuple(problems),
        tuple(copies),
        contexts,
        spoken.why,
        (
            *_idle_waivers(project, entries, known, {file.stem for file in files}, file_of_waivers),
            *_hints_of_dialect(spoken, problems, len(files), project),
            *_hints_of_projects(project),
            *_hints_of_python(project),
            *_hints_of_switched_off(audited, project),
        ),
    )


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


def _nothing_in(project: Project, path: Path) -> str:
    if project.outside:
        named, key = next(iter(project.outside.items()))
        settings = project.root / PROJECT_FILE
        return f"{key} in {settings} names {named}, which is outside of the project; audit that folder by itself."
    if project.is_dbt and project.chosen == project.root:
        return f"There is no .sql file in the model-paths of {path}; logic in macros is found where models call them."
    if project.chosen.is_file():
        return f"{path} is no SQL and no properties of models, and is not looked into; name a file of these."
    return f"There is no .sql file in {path}; name the folder of a dbt project or of SQL files."


def _problems_of_settings(project: Project) -> list[Problem]:
    return [Problem(PROJECT_FILE, None, flaw) for flaw in project.flaws] + [
        Problem(PROJECT_FILE, None, f"Its {key} names {name}, outside of the project: audit that folder by itself.")
        for name, key in project.outside.items()
    ]


def _jobs(project: Project, files: Sequence[Path]) -> list[Job]:
    base = project.chosen if project.chosen.is_dir() else project.chosen.parent

    def job(file: Path, role: Role) -> Job:
        compiled = _compiled(project, file) if role is not Role.PROPERTIES else None
        said = project.enabled(file)
        return Job(str(file), shown(file.relative_to(base)), compiled, role, "" if said is None else str(said))

    return [
        *(job(file, Role.FUNCTION if file in project.functions else Role.MODEL) for file in files),
        *(job(file, Role.TEST) for file in project.test_files()),
        *(job(file, Role.PROPERTIES) for file in project.property_files()),
    ]


def _compiled(project: Project, file: Path) -> str | None:
    if not project.manifest:
        return None
    try:
        return project.compiled(file, read_text(file, project.root))
    except UnreadableFileError:
        return None  # the worker says why


def _without_switched_off(audited: Sequence[FileAudit]) -> list[FileAudit]:
    """Return audited files without what properties say of models that are switched off."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for file in audited:
        names[file.is_off].add(Path(file.file).stem)
    gone = names[True] - names[False]
    gone |= {unversioned(name) for name in gone} - {unversioned(name) for name in names[False]}

    def kept(file: FileAudit) -> FileAudit:
        return replace(file, findings=tuple(finding for finding in file.findings if finding.model not in gone))

    return [kept(file) if gone and file.findings else file for file in audited]


def _contexts(project: Project, files: Sequence[Path], audited: Sequence[FileAudit]) -> dict[str, str]:
    """Return the context of each model: what its SQL says, else properties, dbt_project.yml, and its folder."""
    named = project.contexts()
    own = {file.stem: found.context for file, found in zip(files, audited, strict=False) if found.context}
    found = {file.stem: project.context_of(file, named) for file in files}
    return {**named, **found, **own}


def _judged(
    audited: Sequence[FileAudit], contexts: Mapping[str, str], reasons: Mapping[str, str], replaced: Replaced
) -> tuple[list[Entry], list[Copies]]:
    """Return the findings with their judgement, and the copies among them."""
    found = sorted((item for file in audited for item in file.findings), key=lambda f: (f.file, f.line, f.column))
    pivots = [item for file in audited for item in file.pivots]
    findings = without_what_models_say(found)
    findings = sorted((*findings, *pivots_that_differ(findings, pivots)), key=lambda f: (f.file, f.line, f.column))
    copies = groups_of_copies(findings)
    entries = _entries(findings, copies, contexts)
    return [_with_state(entry, replaced(entry.finding), reasons.get(entry.finding.place)) for entry in entries], copies


def _entries(findings: Sequence[Finding], copies: Sequence[Copies], contexts: Mapping[str, str]) -> list[Entry]:
    exact: Counter[int] = Counter()
    near: Counter[int] = Counter()
    for group in copies:
        for finding in group.findings:
            (exact if group.exact else near)[id(finding)] += len(group.findings) - (not group.exact)
    # A near copy of one of several exact copies is one of each of them.
    of_form = {form_of(finding): near[id(finding)] for group in copies for finding in group.findings if not group.exact}
    counts = [(max(exact[id(finding)], 1), of_form.get(form_of(finding), 0)) for finding in findings]
    urgent = [urgency(f.kind, f.metrics, same, others) for f, (same, others) in zip(findings, counts, strict=True)]
    levels = priorities([how for how, _ in urgent])
    return [
        Entry(
            finding, contexts.get(finding.model, "none"), complexity(finding.metrics), level, *counts[number],
            why=urgent[number][1],
        )
        for number, (finding, level) in enumerate(zip(findings, levels, strict=True))
    ]  # fmt: skip


def _technical(audited: Sequence[FileAudit], entries: Sequence[Entry]) -> Iterator[Technical]:
    """Yield the technical CASEs, without the pivots that turned out to be one of two definitions of a name."""
    found = {(entry.finding.file, entry.finding.line, entry.finding.column) for entry in entries}
    for item in (item for file in audited for item in file.technical):
        if item.reason != PIVOT or (item.file, item.line, item.column) not in found:
            yield item


def _with_state(entry: Entry, rules: Sequence[str], reason: str | None) -> Entry:
    if rules:
        return replace(entry, state=State.MIGRATED, by=", ".join(rules))
    return entry if reason is None else replace(entry, state=State.WAIVED, by=reason)


def _idle_waivers(
    project: Project, entries: Sequence[Entry], waivers: Sequence[Waiver], models: Collection[str], file: Path
) -> list[str]:
    """Return a warning of waivers of audited models that waive nothing: what they spoke of is gone or migrated."""
    waived = {entry.finding.place for entry in entries if entry.state is State.WAIVED}
    looks_at_all = project.chosen == project.root
    idle = [w.place for w in waivers if w.place not in waived and (looks_at_all or w.model in models)]
    return [f"{file} waives what is not there or is migrated: {', '.join(idle)}; take the entry out."] if idle else []


def _hints_of_projects(project: Project) -> list[str]:
    """Return a hint where a folder holds dbt projects, which are read here as so many files of SQL."""
    if project.is_dbt or project.chosen.is_file():
        return []
    found = (path for path in walk(project.root, (PROJECT_FILE,), SKIPPED) if path.name == PROJECT_FILE)
    names = sorted(shown(path.parent.relative_to(project.root)) for path in found)
    where = f"There are dbt projects below it ({_some(names)})"
    return [f"{where}: audit each by itself, with its variables, macros and dialect."] if names else []


def _hints_of_python(project: Project) -> list[str]:
    """Return a hint where models are Python: what they decide is no SQL."""
    if not project.is_dbt or project.chosen != project.root:
        return []
    # A link to a folder stands among them, which is a problem of its own.
    paths = sorted([*project.model_files(".py"), *(path for path in project.functions if path.suffix == ".py")])
    names = [shown(path.relative_to(project.root)) for path in paths if not path.is_dir()]
    return [f"Models in Python were not looked into ({_some(names)}): read them yourself."] if names else []


def _hints_of_switched_off(audited: Sequence[FileAudit], project: Project) -> list[str]:
    """Return a hint where files are switched off: dbt does not run them either, for this target and its variables."""
    names = [Path(file.file).stem for file in audited if file.is_off]
    if not names:
        return []
    what = f"{len(names)} files are" if len(names) > 1 else "One file is"
    return [
        f"{what} switched off by `enabled` for the target {project.target.name} and not looked into ({_some(names)});"
        " --target or --vars may switch them on."
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:MOST_NAMED], *([f"and {len(names) - MOST_NAMED} more"] if names[MOST_NAMED:] else [])])


def _hints_of_dialect(spoken: Spoken, problems: Sequence[Problem], files: int, project: Project) -> list[str]:
    """Return a hint where so many files are no SQL of the dialect that it may be the wrong one."""
    broken = {problem.file for problem in problems if f"no {spoken.dialect} SQL" in problem.message}
    if not spoken.is_known and not broken:
        return [f"The dialect {spoken.dialect} is a guess ({spoken.why}); name another with --dialect."]
    if len(broken) < max(3, files / 20):
        return []
    guess = of_sql(project.root, project.model_files() or project.sql_files())
    other = f" The SQL looks like {guess.dialect}." if guess is not None and guess.dialect != spoken.dialect else ""
    return [
        f"{len(broken)} of {files} files hold what is no {spoken.dialect} SQL ({spoken.why} says {spoken.dialect});"
        f" if it is another dialect, name it with --dialect.{other}"
    ]
