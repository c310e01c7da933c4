"""An audit as pages for people: HTML for a browser, Markdown for a wiki or a pull request.

What belongs here: the two templates. What does not: what a report holds (`report`).
"""

from __future__ import annotations

from jinja2 import Environment

from olist_pipeline.audit.model import Audit
from olist_pipeline.audit.report import as_dict, as_row, gathered, most_urgent

MOST_FINDINGS, MOST_GROUPS, MOST_PROBLEMS = 60, 15, 20
"""What a page of Markdown shows; the other forms have all of it."""


def as_html(found: Audit) -> str:
    """Return the report as one HTML page that needs nothing else."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    return template.render(
        report=as_dict(found),
        urgent=[as_row(entry) for entry in most_urgent(found)],
        near=[copies for copies in found.copies if not copies.exact],
        exact=[copies for copies in found.copies if copies.exact],
    )


def as_markdown(found: Audit) -> str:
    """Return the report as a page of Markdown: the contexts, the near copies and the most urgent findings."""
    environment = Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = _cell
    near = [copies for copies in found.copies if not copies.exact]
    urgent, problems = most_urgent(found), gathered(found.problems)
    return environment.from_string(MARKDOWN).render(
        report=as_dict(found),
        near=near[:MOST_GROUPS],
        near_left=max(len(near) - MOST_GROUPS, 0),
        urgent=[as_row(entry) for entry in urgent[:MOST_FINDINGS]],
        urgent_left=max(len(urgent) - MOST_FINDINGS, 0),
        problems=problems[:MOST_PROBLEMS],
        problems_left=max(len(problems) - MOST_PROBLEMS, 0),
    )


def _cell(value: object) -> str:
    """Return a text that breaks no table and no code of Markdown."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")


MARKDOWN = """\
# Business logic in SQL

{{ report.audited | cell }}: {{ report.findings | length }} findings in {{ report.files }} files, \
read as {{ report.dialect }} ({{ report.dialect_from | cell }}).
{% for warning in report.warnings %}

> {{ warning | cell }}
{% endfor %}

## Where to begin

| context | findings | high priority | points | copied | open | done |
|---|---|---|---|---|---|---|
{% for row in report.contexts %}
| {{ row.context | cell }} | {{ row.findings }} | {{ row.high_priority }} | {{ row.points }} | {{ row.copied }} \
| {{ row.open }} | {{ row.done_percent }} % |
{% endfor %}

## Nearly the same, with other thresholds or branches

{% for group in near %}
{% for finding in group.findings %}
- `{{ finding.file | cell }}:{{ finding.line }}` {{ finding.column | cell }}: `{{ finding.sql | cell }}`
{% endfor %}

{% endfor %}
{% if near_left %}And {{ near_left }} more groups.{% endif %}


## The most urgent findings

| where | column | rule, a draft | kind | priority | why |
|---|---|---|---|---|---|
{% for row in urgent %}
| {{ row.file | cell }}:{{ row.line }} | {{ row.column | cell }} | {{ row.rule | cell }} | {{ row.kind }} \
| {{ row.priority }} | {{ row.why }} |
{% endfor %}

{% if urgent_left %}And {{ urgent_left }} more: JSON, CSV and HTML have all of them.{% endif %}

{% if problems %}

## What could not be read

{% for problem in problems %}
- {{ problem | cell }}
{% endfor %}
{% if problems_left %}- and {{ problems_left }} more{% endif %}

{% endif %}
"""

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Business logic in SQL</title>
<style>
  body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem; color: #1f2933; }
  table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 2rem; }
  th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem; border-bottom: 1px solid #d9e2ec; }
  th { background: #f0f4f8; position: sticky; top: 0; }
  .number { text-align: right; }
  code, pre { font: 12px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
  .High, .open { color: #ba2525; font-weight: 600; }
  .Medium { color: #8d5b00; }
  .migrated { color: #0c6b3d; }
  .side { display: flex; gap: 1rem; flex-wrap: wrap; margin: 0.5rem 0 1.5rem; }
  .side > div { flex: 1 1 22rem; border: 1px solid #e8b4b4; border-radius: 4px; padding: 0.6rem; }
  .differences { color: #ba2525; }
</style>
</head>
<body>
<h1>Business logic in SQL</h1>
<p>{{ report.audited }}: {{ report.findings | length }} findings in {{ report.files }} files,
read as {{ report.dialect }} ({{ report.dialect_from }}).</p>
{% for warning in report.warnings %}
<p class="Medium">{{ warning }}</p>
{% endfor %}

{% if report.problems %}
<h2>What could not be read</h2>
<table>
<tr><th>file</th><th>line</th><th>problem</th></tr>
{% for problem in report.problems %}
<tr><td>{{ problem.file }}</td><td class="number">{{ problem.line or "" }}</td><td>{{ problem.message }}</td></tr>
{% endfor %}
</table>
{% endif %}

<h2>Where to begin</h2>
<p>Bounded contexts from the simplest to the most complex; points count branches, predicates, tables and nesting.</p>
<table>
<tr><th>context</th><th class="number">findings</th><th class="number">high priority</th>
<th class="number">points</th><th class="number">copied</th><th class="number">open</th>
<th class="number">done</th></tr>
{% for row in report.contexts %}
<tr><td>{{ row.context }}</td><td class="number">{{ row.findings }}</td><td class="number">{{ row.high_priority }}</td>
<td class="number">{{ row.points }}</td><td class="number">{{ row.copied }}</td><td class="number">{{ row.open }}</td>
<td class="number">{{ row.done_percent }} %</td></tr>
{% endfor %}
</table>

<h2>Nearly the same, with other thresholds or branches</h2>
{% if not near %}<p>None.</p>{% endif %}
{% for group in near %}
<div class="side">
{% for finding in group.findings %}
<div><strong>{{ finding.file }}:{{ finding.line }} {{ finding.column }}</strong>
<pre>{{ finding.sql }}</pre>
{% if not loop.first %}<p class="differences">{{ group.differences[loop.index0 - 1] }}</p>{% endif %}
</div>
{% endfor %}
</div>
{% endfor %}

<h2>The same in several places</h2>
{% if not exact %}<p>None.</p>{% endif %}
<table>
{% for group in exact %}
<tr><td class="number">{{ group.findings | length }}</td>
<td>{% for finding in group.findings %}{{ finding.file }}:{{ finding.line }} {{ finding.column }}<br>{% endfor %}</td>
<td><pre>{{ group.findings[0].sql }}</pre></td></tr>
{% endfor %}
</table>

<h2>Findings</h2>
<p>The most urgent first; a third at most is High, and each says why.</p>
<table>
<tr><th>where</th><th>column</th><th>rule, a draft</th><th>kind</th><th>complexity</th><th>priority</th><th>copies</th>
<th>state</th></tr>
{% for row in urgent %}
<tr><td>{{ row.file }}:{{ row.line }}</td><td>{{ row.column }}</td>
<td>{{ row.rule }}<details><summary>SQL</summary><pre>{{ row.sql }}</pre></details></td><td>{{ row.kind }}</td>
<td>{{ row.complexity }}</td><td><span class="{{ row.priority }}">{{ row.priority }}</span><br>{{ row.why }}</td>
<td class="number">{{ row.copies }}</td>
<td class="{{ row.state }}">{{ row.state }}{% if row.by %}: {{ row.by }}{% endif %}</td></tr>
{% endfor %}
</table>
</body>
</html>
"""
