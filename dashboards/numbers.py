"""Numbers: what a chart shows, as rows that can be read without seeing it.

What belongs here: reading a chart's rows back from its specification, in the words of its tooltips. What does not: how
they are laid out (`page`).

A tooltip names every column that a person reads of a mark, so a table of them says what the chart says, to a screen
reader too, and cannot drift from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dashboards import formats

MOST_ROWS = 200
"""Of a chart with more rows, the first are enough to read; all are in the chart."""


@dataclass(frozen=True)
class Numbers:
    """The rows of a chart as text, at most MOST_ROWS of `height`; `numeric` says which columns are numbers.

    `is_drawn`: whether any row has all the numbers by which a mark has its place, size and colour.
    """

    headings: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[str]]
    height: int
    is_drawn: bool


def numbers(spec: Mapping[str, Any]) -> Numbers:
    """Return what a Vega-Lite specification shows; a chart of several datasets has their rows after each other."""
    fields: list[Mapping[str, Any]] = []
    datasets: dict[str, list[Mapping[str, Any]]] = {}
    is_drawn = False
    for data, encoding in _marks(spec):
        fields = fields or _listed(encoding["tooltip"])
        name = data.get("name", "")
        datasets[name] = spec["datasets"][name] if name else data["values"]
        needed = [
            channel["field"]
            for channel_name, channel in encoding.items()
            if channel_name not in ("tooltip", "order") and channel.get("type") == "quantitative"
        ]
        is_drawn |= any(all(row.get(field) is not None for field in needed) for row in datasets[name])
    rows = [row for dataset in datasets.values() for row in dataset]
    shown = [tuple(_text(row.get(field["field"]), field) for field in fields) for row in rows[:MOST_ROWS]]
    headings = [field["title"] or field["field"] for field in fields]
    return Numbers(headings, [field["type"] == "quantitative" for field in fields], shown, len(rows), is_drawn)


def _marks(spec: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the data and the encoding of each mark that has a tooltip."""
    for unit in spec.get("layer", [spec]):
        if unit.get("encoding", {}).get("tooltip"):
            yield unit.get("data") or spec["data"], unit["encoding"]


def _listed(tooltip: Any) -> list[Mapping[str, Any]]:
    return tooltip if isinstance(tooltip, list) else [tooltip]


def _text(value: Any, field: Mapping[str, Any]) -> str:
    form = field.get("format")
    if value is None or form is None:
        return formats.NONE if value is None else str(value)
    if field["type"] == "temporal":
        value = datetime.fromisoformat(value) if isinstance(value, str) else date.fromisoformat(str(value))
    return formats.TEXT_OF[form](value)
