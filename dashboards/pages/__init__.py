"""The dashboards, a marimo notebook each.

What belongs here: which figures, charts and tables a dashboard shows, in which order, under which filters. What does
not: SQL (`queries`), the look of charts (`look`, `series`, `charts`) and of pages (`page`), and filters (`notebook`).

Every notebook has the same cells: the release that is shown, the clock that looks for another, the filters, and the
content, a `Page`.
"""
