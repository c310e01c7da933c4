"""An audit as JSON and CSV.

What belongs here: what a report holds, and its forms for other programs. What does not: its pages for people (`pages`),
the screen (the command prints it), and any judgement.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from olist_pipeline.audit.audit import by_context, share_done
from olist_pipeline.audit.metrics import points
from olist_pipeline.audit.model import Audit, Copies, Entry, Level, Problem, State

COLUMNS = (
    "file", "line", "context", "model", "column", "clause", "rule", "kind", "complexity", "priority", "copies",
    "near_copies", "why", "state", "by", "branches", "nesting", "predicates", "tables", "sql",
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
        "why": entry.why,
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
        "dialect_from": found.why,
        "warnings": list(found.warnings),
        "files": found.files,
        "contexts": summary(found),
        "findings": [as_row(entry) for entry in found.entries],
        "copies": [copies_row(copies) for copies in found.copies],
        "technical_cases": [vars(item) for item in found.technical],
        "problems": [vars(problem) for problem in found.problems],
    }


def most_urgent(found: Audit) -> list[Entry]:
    """Return the findings, the most urgent first: open ones, by priority, near copies, copies and complexity."""
    order = [Level.HIGH, Level.MEDIUM, Level.LOW]

    def key(entry: Entry) -> tuple[Any, ...]:
        is_done = entry.state is not State.OPEN
        size = points(entry.finding.metrics)
        return is_done, order.index(entry.priority), -entry.near_copies, -entry.copies, -size

    return sorted(found.entries, key=key)


def gathered(problems: Sequence[Problem]) -> list[str]:
    """Return problems as sentences, those that say the same once, with the first place and how many there are."""
    places: dict[str, list[Problem]] = {}
    for problem in problems:
        places.setdefault(problem.message, []).append(problem)
    lines = []
    for message, group in sorted(places.items(), key=lambda item: -len(item[1])):
        where = group[0].file + (f":{group[0].line}" if group[0].line else "")
        others = len(group) - 1
        more = f" (and in {others} more place{'s' * (others > 1)})" if others else ""
        lines.append(f"{where}  {message}{more}")
    return lines


def as_json(found: Audit) -> str:
    """Return the report as JSON."""
    return json.dumps(as_dict(found), indent=2, ensure_ascii=False) + "\n"


def as_csv(found: Audit) -> str:
    """Return the findings as CSV, for a spreadsheet; problems are rows of kind `problem`, so that none is lost."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    rows = [as_row(entry) for entry in found.entries]
    rows += [{"file": one.file, "line": one.line, "kind": "problem", "rule": one.message} for one in found.problems]
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return text.getvalue()


def _inert(value: Any) -> Any:
    """Return a cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
