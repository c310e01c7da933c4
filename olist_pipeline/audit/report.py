"""An audit as JSON, CSV and HTML.

What belongs here: what a report holds, and its three forms for files. What does not: the table for the terminal (the
command prints it), and any judgement.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

from jinja2 import Environment

from olist_pipeline.audit.audit import by_context, share_done
from olist_pipeline.audit.metrics import points
from olist_pipeline.audit.model import Audit, Copies, Entry, Level, State

COLUMNS = (
    "file", "line", "context", "model", "column", "clause", "rule", "kind", "complexity", "priority", "copies",
    "near_copies", "state", "by", "branches", "nesting", "predicates", "tables", "sql",
)  # fmt: skip
"""The columns of a finding, the guide's first: file, business rule, complexity, priority."""


def summary(found: Audit) -> list[dict[str, Any]]:
    """Return a row a bounded context, the simplest first: where to begin."""
    rows = []
    for name, entries in by_context(found).items():
        kinds = Counter(str(entry.finding.kind) for entry in entries)
        rows.append(
            {
                "context": name,
                "findings": len(entries),
                "high_priority": sum(entry.priority is Level.HIGH for entry in entries),
                "points": sum(points(entry.finding.metrics) for entry in entries),
                "copied": sum(entry.copies > 1 for entry in entries),
                "open": sum(entry.state is State.OPEN for entry in entries),
                "done_percent": percent_done(entries),
                "kinds": dict(sorted(kinds.items())),
            }
        )
    return rows


def percent_done(entries: list[Entry]) -> int:
    """Return the share of findings that are migrated or waived in whole percent, 100 only where all are."""
    return int(share_done(entries) * 100)


def as_row(entry: Entry) -> dict[str, Any]:
    """Return a finding with its judgement as one flat row."""
    finding = entry.finding
    judged = {
        "context": entry.context,
        "complexity": str(entry.complexity),
        "priority": str(entry.priority),
        "copies": entry.copies,
        "near_copies": entry.near_copies,
        "state": str(entry.state),
        "by": entry.by,
    }
    stated = {
        "file": finding.file,
        "line": finding.line,
        "model": finding.model,
        "column": finding.column,
        "clause": str(finding.clause),
        "rule": finding.statement,
        "kind": str(finding.kind),
        "sql": finding.sql,
        **vars(finding.metrics),
    }
    whole = stated | judged
    return {name: whole[name] for name in COLUMNS}


def copies_row(copies: Copies) -> dict[str, Any]:
    """Return a group of copies with the places where they stand; differences are those to the first of them."""
    return {
        "exact": copies.exact,
        "places": [
            {"file": finding.file, "line": finding.line, "column": finding.column, "sql": finding.sql}
            for finding in copies.findings
        ],
        "differences": list(copies.differences),
    }


def as_dict(found: Audit) -> dict[str, Any]:
    """Return the whole report in a form that JSON knows."""
    return {
        "audited": found.root,
        "dialect": found.dialect,
        "files": found.files,
        "contexts": summary(found),
        "findings": [as_row(entry) for entry in found.entries],
        "copies": [copies_row(copies) for copies in found.copies],
        "technical_cases": [vars(item) for item in found.technical],
        "problems": [vars(problem) for problem in found.problems],
    }


def as_json(found: Audit) -> str:
    """Return the report as JSON."""
    return json.dumps(as_dict(found), indent=2, ensure_ascii=False) + "\n"


def as_csv(found: Audit) -> str:
    """Return the findings as CSV, for a spreadsheet; problems are rows of kind `problem`, so that none is lost."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in found.entries:
        writer.writerow({name: _inert(value) for name, value in as_row(entry).items()})
    for problem in found.problems:
        writer.writerow({"file": problem.file, "line": problem.line, "kind": "problem", "rule": problem.message})
    return text.getvalue()


def as_html(found: Audit) -> str:
    """Return the report as one HTML page that needs nothing else."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    return template.render(
        report=as_dict(found),
        near=[copies for copies in found.copies if not copies.exact],
        exact=[copies for copies in found.copies if copies.exact],
    )


def _inert(value: Any) -> Any:
    """Return a cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


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
<p>{{ report.audited }}: {{ report.findings | length }} findings in {{ report.files }} files ({{ report.dialect }}).</p>

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
<table>
<tr><th>where</th><th>column</th><th>rule, a draft</th><th>kind</th><th>complexity</th><th>priority</th><th>copies</th>
<th>state</th></tr>
{% for row in report.findings %}
<tr><td>{{ row.file }}:{{ row.line }}</td><td>{{ row.column }}</td>
<td>{{ row.rule }}<details><summary>SQL</summary><pre>{{ row.sql }}</pre></details></td><td>{{ row.kind }}</td>
<td class="{{ row.complexity }}">{{ row.complexity }}</td><td class="{{ row.priority }}">{{ row.priority }}</td>
<td class="number">{{ row.copies }}</td>
<td class="{{ row.state }}">{{ row.state }}{% if row.by %}: {{ row.by }}{% endif %}</td></tr>
{% endfor %}
</table>
</body>
</html>
"""
