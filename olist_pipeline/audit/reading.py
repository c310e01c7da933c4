"""One file audited: its text, its SQL, its findings.

What belongs here: reading a file, the choice between compiled SQL and rendering, and the second rendering of an
incremental model. What does not: bounds on time and memory (`worker`, `pool`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from sqlglot import exp

from olist_pipeline import yaml_text
from olist_pipeline.audit.columns import Around
from olist_pipeline.audit.data_tests import audit_properties, only_checks
from olist_pipeline.audit.expressions import Node
from olist_pipeline.audit.findings import Place, audit_sql
from olist_pipeline.audit.jinja import MacroText, Rendered, Renderer, RenderError, has_jinja, how_to_set
from olist_pipeline.audit.lines import ExactLines, LineMap, located, marked
from olist_pipeline.audit.model import FileAudit, Finding, Problem
from olist_pipeline.audit.model_settings import context_in, enabled_in, is_off
from olist_pipeline.audit.project import Project
from olist_pipeline.audit.project_files import NotUtf8Error, UnreadableFileError, read_text
from olist_pipeline.audit.relations import Relations, with_latest
from olist_pipeline.audit.semantics import audit_semantics
from olist_pipeline.audit.templates import TAG, without_tags

QUERY = re.compile(r"\bselect\b", re.IGNORECASE)
STATEMENT = re.compile(r"\s*(select|with|create|begin|declare|return)\b", re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
ASKS_DATABASE = re.compile(
    r"run_query|statement\(|load_result|get_column_values|get_query_results|get_columns_in|get_filtered_columns|\bexecute\b"
)
PROPERTIES = re.compile(r"^(models|sources|seeds|snapshots|unit_tests|semantic_models|metrics)\s*:", re.MULTILINE)
"""What tells properties of dbt from other YAML that lies beside SQL."""
LEAST_TOLD = 4
"""A text of so many signs is found in a template by no chance."""
MAY_FAIL = re.compile(r"try_|safe_|safe\.|\btry\s*\(|or(null|zero|default)\b", re.IGNORECASE)


class Role(StrEnum):
    """What a file is in its project."""

    MODEL = "model"
    FUNCTION = "function"
    TEST = "test"
    PROPERTIES = "properties"


@dataclass(frozen=True)
class Job:
    """One file to audit.

    compiled: its SQL by the manifest, None where it must be rendered. enabled: what properties or dbt_project.yml say
    of whether it is switched on, '' where they say nothing.
    """

    path: str
    file: str
    compiled: str | None
    role: Role = Role.MODEL
    enabled: str = ""


class Reader:
    """Audits the files of one project, one after the other; `root` is the folder that no file may leave.

    `models` are the files of the project's models by name, for what findings hang on. With `has_origins` each finding
    says where its columns come from, which reads the models before it once more.
    """

    def __init__(
        self,
        dialect: str,
        renderer: Renderer,
        root: Path,
        models: Mapping[str, Path] | None = None,
        *,
        has_origins: bool = False,
    ) -> None:
        self.dialect = dialect
        self.renderer = renderer
        self.root = root
        self.models = with_latest(models or {})
        self.relations = Relations(self._sql_of, dialect)
        self._origins = self.relations.origins if has_origins else None

    def audit(self, job: Job) -> FileAudit:
        """Return what a file holds; what cannot be read is a problem, never an exception."""
        problems: tuple[Problem, ...] = ()
        try:
            text = read_text(Path(job.path), self.root)
        except UnreadableFileError as error:
            problems = (Problem(job.file, error.line, str(error)),)
            if not isinstance(error, NotUtf8Error):
                return FileAudit(job.file, problems=problems)
            text = error.text
        if line := yaml_text.conflict_in(text):
            why = f"I{yaml_text.UNMERGED[1:]}: the first version was read."
            problems = (*problems, Problem(job.file, line, why))
            text = yaml_text.first_version(text)
        found = self._audit_text(text, job)
        return replace(found, problems=(*problems, *found.problems))

    def _audit_text(self, text: str, job: Job) -> FileAudit:
        if job.role is Role.PROPERTIES:
            return self._audit_properties(text, job.file)
        if job.role is Role.FUNCTION and not STATEMENT.match(COMMENT.sub("", TAG.sub("", text))):
            text = f"select {text}\nas {Path(job.file).stem}"  # its body is an expression
        found = self._audit_sql(text, job)
        return only_checks(found) if job.role is Role.TEST else found

    def _audit_properties(self, text: str, file: str) -> FileAudit:
        try:
            root = yaml_text.compose(text)
        except yaml_text.YamlError as error:
            why = f"It cannot be read as YAML ({error}): its tests were not looked into."
            return FileAudit(file, problems=(Problem(file, None, why),) if PROPERTIES.search(text) else ())
        tests = audit_properties(root, file, self.dialect, self._plain_text)
        layer = audit_semantics(root, file, self.dialect, self._plain_text)
        return replace(layer, findings=(*tests.findings, *layer.findings))

    def _audit_sql(self, text: str, job: Job) -> FileAudit:
        model = Path(job.file).stem
        if job.compiled is not None:
            return self._audited(text, job.compiled, job.file, model)
        if not has_jinja(text):
            return (
                FileAudit(job.file, is_off=True)
                if self._is_off(job, {})
                else self._audited(text, text, job.file, model)
            )
        try:
            rendered = self.renderer.render(text, model)
        except RenderError as error:
            if self._is_off(job, self.renderer.settings):
                return FileAudit(job.file, is_off=True)
            return self._without_tags(text, job.file, model, error)
        if self._is_off(job, rendered.settings):
            return FileAudit(job.file, is_off=True)
        found = self._audited(text, rendered.sql, job.file, model, {})
        how: dict[str, bool] = {}
        for other in self._other_ways(text, rendered, found):
            again = self._again(text, job.file, model, other)
            if again is not None and len(again[1].problems) < len(found.problems) + (not _holds_query(rendered.sql)):
                (rendered, found), how = again, other
        if ASKS_DATABASE.search(text) and not how.get("has_rows"):
            found = self._with_rows(text, job.file, model, {**how, "has_rows": True}, found)
        if "is_incremental" in text:
            found = _joined(found, self._incremental(text, job.file, model, how))
        problems = (*_unknown(job.file, rendered), *found.problems)
        return replace(found, problems=problems, context=context_in(rendered.settings))

    def _is_off(self, job: Job, settings: Mapping[str, Any]) -> bool:
        """Return whether a file is switched off: what its own `settings` say counts more than what others do."""
        said = enabled_in(settings)
        return is_off(said if said is not None else self._plain_text(job.enabled))

    def _without_tags(self, text: str, file: str, model: str, error: RenderError) -> FileAudit:
        """Return what a template that cannot be rendered holds outside of its tags: that much of it is read."""
        around = Around(self.relations.is_sum, self._origins)
        found = audit_sql(without_tags(text), Place(file, model, self.dialect, around=around))
        what = "what stands outside of its tags was read, as far as that is SQL"
        return replace(found, problems=(Problem(file, error.line, f"{error}; {what}."),))

    def _other_ways(self, text: str, rendered: Rendered, found: FileAudit) -> Iterator[dict[str, bool]]:
        """Yield how to render a template that gave no query, or one that cannot be read."""
        if found.problems and rendered.unknown:
            yield {"hides_unknown": True}
        # A macro may ask, too, and write what is no SQL while nothing is run.
        if found.problems or (ASKS_DATABASE.search(text) and not _holds_query(rendered.sql)):
            yield {"has_rows": True}

    def _again(self, text: str, file: str, model: str, how: dict[str, bool]) -> tuple[Rendered, FileAudit] | None:
        """Return a template rendered in another way, and what it holds then; None where it cannot be rendered."""
        try:
            rendered = self.renderer.render(text, model, **how)
        except RenderError:
            return None
        return rendered, self._audited(text, rendered.sql, file, model, how)

    def _with_rows(self, text: str, file: str, model: str, how: dict[str, bool], found: FileAudit) -> FileAudit:
        """Return what a template holds, with what it writes only for rows and columns that a database knows."""
        again = self._again(text, file, model, how)
        if again is None or len(again[1].problems) > len(found.problems):
            return found
        known = {(finding.line, finding.kind) for finding in found.findings}
        more = tuple(finding for finding in again[1].findings if (finding.line, finding.kind) not in known)
        return replace(found, findings=(*found.findings, *more))

    def _incremental(self, text: str, file: str, model: str, how: dict[str, bool]) -> FileAudit:
        how = {**how, "is_incremental": True}
        try:
            rendered = self.renderer.render(text, model, **how)
        except RenderError as error:
            return FileAudit(file, problems=(Problem(file, error.line, f"As an incremental run: {error}."),))
        return self._audited(text, rendered.sql, file, model, how)

    def _audited(self, text: str, sql: str, file: str, model: str, how: Mapping[str, bool] | None = None) -> FileAudit:
        """Audit SQL; `how` says how `text` was rendered to it, None where it was not rendered here."""
        is_incremental = bool(how and how.get("is_incremental"))
        around = Around(self.relations.is_sum, self._origins, partial(_is_written, text), is_incremental)
        found = self._located(text, sql, model, how) if how is not None else None
        located, lines = found or (sql, LineMap(text, sql))
        audited = audit_sql(located, Place(file, model, self.dialect, lines.line_of, around))
        return _without_turns(audited) if found else audited

    def _located(self, text: str, sql: str, model: str, how: Mapping[str, bool]) -> tuple[str, ExactLines] | None:
        try:
            return located(sql, self.renderer.render(marked(text), model, **how).sql)
        except RenderError:
            return None

    def _sql_of(self, relation: str) -> str | None:
        """Return the SQL of a model of the project; None where there is none, or it cannot be rendered."""
        path = self.models.get(relation.lower())
        if path is None:
            return None
        try:
            return self.renderer.render(read_text(path, self.root), path.stem).sql
        except (UnreadableFileError, RenderError):
            return None

    def _plain_text(self, text: str) -> str:
        """Return a text of a properties file without its Jinja, as it is where it cannot be rendered."""
        if not has_jinja(text):
            return text
        try:
            return self.renderer.render(text, "properties").sql
        except RenderError:
            return text


def _is_written(template: str, node: Node) -> bool:
    """Return whether the file of a model writes an expression itself: its texts, or the name of a cast that may fail.

    What it does not write comes from a macro.
    """
    texts = [part.name for part in node.find_all(exp.Literal) if part.is_string and part.name]
    if texts:
        # The parser writes formats of dates in words of its own.
        told = [text for text in texts if len(text) >= LEAST_TOLD]
        return any(text in template for text in told) if told else all(text in template for text in texts)
    return not node.find(exp.TryCast) or MAY_FAIL.search(template) is not None


def _holds_query(sql: str) -> bool:
    return QUERY.search(COMMENT.sub("", sql)) is not None


def _unknown(file: str, rendered: Rendered) -> list[Problem]:
    macros = [
        Problem(file, line, f"{what} is not known here: what it writes was not looked into.")
        for line, what in rendered.unknown
    ]
    unset = [Problem(file, line, f"V{how_to_set(name)[1:]}.") for line, name in rendered.unset]
    return [*macros, *unset]


def renderer_of(project: Project, dialect: str, variables: Mapping[str, Any]) -> Renderer:
    """Return the renderer of a project with all its macros; `variables` come before those of the project."""
    return Renderer(macro_texts(project), {**project.variables, **variables}, dialect, project.name, project.target)


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


def _without_turns(audited: FileAudit) -> FileAudit:
    """Return what a file holds without what each further turn of a loop writes in the same words on the same line."""
    findings: dict[tuple[object, ...], Finding] = {}
    for finding in audited.findings:
        findings.setdefault((finding.line, *_said(finding)), finding)
    return replace(audited, findings=tuple(findings.values()))


def _said(finding: Finding) -> tuple[object, ...]:
    return finding.clause, finding.column, finding.kind, finding.shape.normal


def _joined(first: FileAudit, second: FileAudit) -> FileAudit:
    """Return what either rendering holds, each thing once."""
    known = {_said(finding) for finding in first.findings}
    more = tuple(finding for finding in second.findings if _said(finding) not in known)
    problems = tuple(dict.fromkeys((*first.problems, *second.problems)))
    return replace(first, findings=(*first.findings, *more), problems=problems)
