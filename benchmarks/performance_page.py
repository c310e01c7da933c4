"""The page docs/performance.md: tables and plots of what `benchmarks.scale` measured.

What belongs here: what of the results is shown, and how. What does not: measuring. The text of the page around the
tables is written by hand: the tables stand between two comments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from olist_pipeline.settings import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SHOWN_STEPS = 15
TITLES = {
    "time": "Seconds by the number of orders",
    "steps": "The heaviest steps at the largest size",
    "disk": "Disk after the first run",
}
Result = dict[str, Any]


def write_page(results: Sequence[Result], page: Path = PAGE) -> None:
    """Write the tables of `results`, by size, into the page, and the plots as SVG into `images` beside it."""
    text = page.read_text("utf-8")
    tables = "\n".join(rendered(results))
    written = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{tables}\n{END}", text, flags=re.DOTALL)
    page.write_text(written, "utf-8")
    for name, chart in (plots(results) if results else {}).items():
        chart.save(str(page.parent / "images" / f"performance_{name}.svg"))


def rendered(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of the tables, and of the plots beside the page."""
    if not results:
        yield "Nothing was measured yet."
        return
    yield from _machines(results)
    sizes = [f"{result['orders']:,}" for result in results]
    for run in results[0]["runs"]:
        yield from (
            "",
            f"### {run.capitalize()}",
            "",
            _row(["", *sizes, "exponents"]),
            _row(["---"] * (len(sizes) + 2)),
        )
        for label, figure, scale, digits in (
            ("seconds", "seconds", 1, 1),
            ("seconds of processors", "cpu", 1, 1),
            ("GB of memory at most", "peak_memory", 1e9, 2),
        ):
            values = [result["runs"][run][figure] for result in results]
            yield _row([label, *(f"{value / scale:,.{digits}f}" for value in values), _exponents(results, values)])
        yield from _steps(results, run)
    yield from _disk(results, sizes)
    for name, title in TITLES.items():
        yield from ("", f"![{title}](images/performance_{name}.svg)")


def plots(results: Sequence[Result]) -> dict[str, alt.Chart]:
    """Return the plots, by name."""
    times = [
        {"orders": result["orders"], "run": run, "figure": figure, "seconds": found[key]}
        for result in results
        for run, found in result["runs"].items()
        for figure, key in (("by the clock", "seconds"), ("of processors", "cpu"))
    ]
    disk = [
        {"orders": f"{result['orders']:,}", "store": store, "GB": size / 1e9}
        for result in results
        for store, size in result["runs"]["first run"]["disk"].items()
    ]
    largest = results[-1]
    steps = [
        {"run": run, "step": step["name"], "seconds of processors": step["cpu"]}
        for run, found in largest["runs"].items()
        for step in found["steps"]
        if step["name"] in _heaviest(largest, run)
    ]
    return {
        "time": alt.Chart(pl.DataFrame(times))
        .mark_line(point=True)
        .encode(
            x=alt.X("orders:Q").scale(type="log").axis(values=[result["orders"] for result in results], format=",d"),
            y=alt.Y("seconds:Q").scale(type="log"),
            color="run:N",
            strokeDash="figure:N",
        )
        .properties(width=420, height=280, title=TITLES["time"]),
        "disk": alt.Chart(pl.DataFrame(disk))
        .mark_bar()
        .encode(x="GB:Q", y=alt.Y("orders:N").sort([row["orders"] for row in disk]), color="store:N")
        .properties(width=420, height=60 * len(results), title=TITLES["disk"]),
        "steps": alt.Chart(pl.DataFrame(steps))
        .mark_bar()
        .encode(x="seconds of processors:Q", y=alt.Y("step:N").sort("-x"), color="run:N", yOffset="run:N")
        .properties(width=420, title=f"The heaviest steps, {largest['orders']:,} orders"),
    }


def _machines(results: Sequence[Result]) -> Iterator[str]:
    yield _row(["orders", "commit", "machine", "load before", "versions"])
    yield _row(["---"] * 5)
    for result in results:
        one = result["machine"]
        where = f"{one['cores']} cores of {one['processor']}, {one['memory'] / 1e9:.0f} GB"
        versions = ", ".join(f"{name} {one[name]}" for name in ("python", "dagster", "dbt-core", "duckdb", "polars"))
        yield _row([f"{result['orders']:,}", one["commit"], where, str(one["load"]), versions])


def _steps(results: Sequence[Result], run: str) -> Iterator[str]:
    """Yield a table of the heaviest steps at the largest size: seconds by the clock and of processors, at each size."""
    yield from ("", "Steps, in seconds by the clock / of processors:", "")
    yield _row(["step", *(f"{result['orders']:,}" for result in results), "exponents (processors)"])
    yield _row(["---"] * (len(results) + 2))
    for name in _heaviest(results[-1], run):
        found = [next((step for step in one["runs"][run]["steps"] if step["name"] == name), None) for one in results]
        cells = [f"{step['seconds']:,.1f} / {step['cpu']:,.1f}" if step else "" for step in found]
        cpu = [step["cpu"] if step else 0.0 for step in found]
        yield _row([f"`{name}`", *cells, _exponents(results, cpu)])


def _heaviest(result: Result, run: str) -> list[str]:
    steps = sorted(result["runs"][run]["steps"], key=lambda step: (-step["cpu"], step["name"]))
    return [step["name"] for step in steps[:SHOWN_STEPS]]


def _disk(results: Sequence[Result], sizes: Sequence[str]) -> Iterator[str]:
    yield from ("", "### Disk", "", "GB after the first run / after both nights:", "")
    yield _row(["store", *sizes])
    yield _row(["---"] * (len(sizes) + 1))
    runs = list(results[0]["runs"])
    for store in results[0]["runs"][runs[0]]["disk"]:
        found = [[result["runs"][run]["disk"][store] for run in (runs[0], runs[-1])] for result in results]
        yield _row([store, *(f"{first / 1e9:.2f} / {last / 1e9:.2f}" for first, last in found)])
    shares = [
        [
            disk["serving"] / disk["warehouse.duckdb"]
            for disk in (result["runs"][run]["disk"] for run in (runs[0], runs[-1]))
        ]
        for result in results
    ]
    yield _row(["serving / warehouse", *(f"{first:.2f} / {last:.2f}" for first, last in shares)])


def _exponents(results: Sequence[Result], values: Sequence[float]) -> str:
    """Return the exponents from each size to the next, where both were measured."""
    points = [(math.log(result["orders"]), value) for result, value in zip(results, values, strict=True)]
    return ", ".join(
        f"{(math.log(after) - math.log(before)) / (larger - smaller):.2f}" if before > 0 and after > 0 else "-"
        for (smaller, before), (larger, after) in pairwise(points)
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
