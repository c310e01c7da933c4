"""Dashboards: what managers see of the release that is served.

What belongs here: queries, charts, pages and the server that shows them. What does not: business logic (a segment,
flag or verdict comes from the release as it is), and any store but `serving/current`.

    queries/       every number on a page, as SQL
    release.py     opening the current release
    formats.py     numbers, dates and words in one locale
    look.py        one look for all charts
    series.py      charts over time
    charts.py      all other charts
    page.py        what a page is made of, as HTML
    numbers.py     the numbers of a chart, as rows
    cells.py       what a cell says in words
    notebook.py    what marimo adds: filters, and following the release
    export.py      pages as HTML that needs no network
    server.py      all pages in one server
    hosts.py       whom the server answers
    patience.py    how long it waits for whoever asks
    pages/         the marimo notebooks, one a dashboard
"""
