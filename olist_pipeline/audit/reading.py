"""One file audited: its text, its SQL, its findings.

What belongs here: reading a file, the choice between compiled SQL and rendering, and the second rendering of an
incremental model. What does not: bounds on time and memory (`worker`, `pool`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.jinja import MacroText, Renderer, RenderError, has_jinja
from olist_pipeline.audit.lines import LineMap
from olist_pipeline.audit.model import FileAudit, Finding, Problem
from olist_pipeline.audit.project import Project
from olist_pipeline.audit.project_files import UnreadableFileError, read_text


@dataclass(frozen=True)
class Job:
    """One file to audit. compiled: its SQL by the manifest, None where it must be rendered."""

    path: str
    file: str
    compiled: str | None


class Reader:
    """Audits the files of one project, one after the other; `root` is the folder that no file may leave."""

    def __init__(self, dialect: str, renderer: Renderer, root: Path) -> None:
        self.dialect = dialect
        self.renderer = renderer
        self.root = root

    def audit(self, job: Job) -> FileAudit:
        """Return what a file holds; what cannot be read is a problem, never an exception."""
        try:
            text = read_text(Path(job.path), self.root)
        except UnreadableFileError as error:
            return FileAudit(job.file, problems=(Problem(job.file, error.line, str(error)),))
        model = Path(job.file).stem
        if job.compiled is not None:
            return self._audited(text, job.compiled, job.file, model)
        if not has_jinja(text):
            return self._audited(text, text, job.file, model)
        try:
            rendered = self.renderer.render(text, model)
        except RenderError as error:
            return FileAudit(job.file, problems=(Problem(job.file, error.line, f"{error}."),))
        unknown = tuple(
            Problem(job.file, line, f"Macro {name} is not known here: what it writes was not looked into.")
            for line, name in rendered.unknown
        )
        found = self._audited(text, rendered.sql, job.file, model)
        if "is_incremental" in text:
            found = _joined(found, self._incremental(text, job.file, model))
        return FileAudit(job.file, found.findings, found.technical, (*unknown, *found.problems))

    def _incremental(self, text: str, file: str, model: str) -> FileAudit:
        try:
            rendered = self.renderer.render(text, model, is_incremental=True)
        except RenderError as error:
            return FileAudit(file, problems=(Problem(file, error.line, f"As an incremental run: {error}."),))
        return self._audited(text, rendered.sql, file, model)

    def _audited(self, text: str, sql: str, file: str, model: str) -> FileAudit:
        return audit_sql(sql, Place(file, model, self.dialect, LineMap(text, sql).line_of))


def renderer_of(project: Project, dialect: str) -> Renderer:
    """Return the renderer of a project with all its macros."""
    return Renderer(macro_texts(project), project.variables, dialect, project.name)


def macro_texts(project: Project) -> list[MacroText]:
    """Return the files of macros that can be read; one that cannot is missed where it is called."""
    found = []
    for package in project.packages():
        found += [MacroText(package.name, name, text) for name, text in package.texts.items()]
        for path in package.files:
            try:
                text = read_text(path, project.root)
            except UnreadableFileError:
                continue
            if "macro" in text:
                found.append(MacroText(package.name, path.name, text))
    return found


def _joined(first: FileAudit, second: FileAudit) -> FileAudit:
    """Return what either rendering holds, each thing once."""

    def key(finding: Finding) -> tuple[object, ...]:
        return finding.clause, finding.column, finding.kind, finding.shape.normal

    known = {key(finding) for finding in first.findings}
    more = tuple(finding for finding in second.findings if key(finding) not in known)
    problems = tuple(dict.fromkeys((*first.problems, *second.problems)))
    return FileAudit(first.file, (*first.findings, *more), first.technical, problems)
