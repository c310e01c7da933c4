"""Notebooks: what marimo adds to a page: the release that it follows, filters and their state.

What belongs here: all that knows marimo. What does not: what a page is made of (`page`), and the notebooks (`pages`).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import altair as alt
import marimo as mo

from dashboards import formats
from dashboards.page import Page, specification
from dashboards.release import PinnedRelease, Reader, current
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings

PULSE = "10s"
"""How often an open page looks whether another release is served."""

refusals: deque[OlistError] = deque(maxlen=1)
"""Why the last page that could not be made could not."""


def served() -> PinnedRelease:
    """Return the release that is served now, from the settings of the environment."""
    return current(Settings.from_env().serving)


def first_release() -> PinnedRelease | None:
    """Return the release that is served now, None where there is none yet; a page then shows `missing`."""
    try:
        return served()
    except OlistError:
        return None


def another(shown: PinnedRelease | None, pulse: Any) -> PinnedRelease | None:
    """Return the release that is served now where it is not the one that is shown, else None.

    Who is given the clock `pulse` is run again at each of its beats.
    """
    found = first_release()
    return found if found is not None and (shown is None or found.folder != shown.folder) else None


def missing() -> mo.Html:
    """Return the one sentence of a page without a release."""
    try:
        served()
    except OlistError as error:
        return mo.callout(str(error), kind="warn")
    return mo.md("")


@contextmanager
def reading(release: PinnedRelease) -> Iterator[Reader]:
    """Yield a reader of the release; where it cannot be read, end the cell with the one sentence that says why."""
    try:
        with release.reading() as reader:
            yield reader
    except OlistError as error:
        refusals.append(error)
        mo.stop(True, mo.callout(str(error), kind="danger"))


def months(options: Iterable[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a period, from its first to its last month."""
    shown = {formats.month(option): option for option in options}
    return {
        "from_month": _dropdown("From", "First month", shown, kept.get("from_month")),
        "to_month": _dropdown("To", "Last month", dict(reversed(shown.items())), kept.get("to_month")),
    }


def choice(label: str, everything: str, options: Iterable[Any], kept: Any, form: Callable[[Any], str] = str) -> Any:
    """Return a filter of one value; `everything` is the entry that switches it off, `kept` what was chosen before."""
    return _dropdown(label, everything, {form(option): option for option in options}, kept)


def clock() -> Any:
    """Return the clock by which an open page looks for another release."""
    return mo.ui.refresh(options=[PULSE, "1m"], default_interval=PULSE, label="Looks for a new release every")


def bar(filters: Any, pulse: Any) -> mo.Html:
    """Return the bar of filters, with the clock."""
    return mo.hstack([*filters.elements.values(), pulse], justify="start", gap=1.5, wrap=True, align="end")


def show(page: Page) -> mo.Html:
    """Return the body of a page for marimo."""
    return mo.Html(page.body(lambda chart: mo.as_html(_Drawn(chart)).text))


def show_head(page: Page) -> mo.Html:
    """Return the head of a page for marimo, whose pages stand beside each other."""
    return mo.Html(page.head(lambda name: f"../{name}/"))


@dataclass(frozen=True)
class _Drawn:
    """A chart that tells marimo its specification, with the data inside."""

    chart: alt.TopLevelMixin

    def _mime_(self) -> tuple[str, str]:
        return ("application/vnd.vegalite.v6+json", json.dumps(specification(self.chart)))


def _dropdown(label: str, everything: str, options: Mapping[str, Any], kept: Any) -> Any:
    chosen = next((text for text, option in options.items() if option == kept), everything)
    return mo.ui.dropdown({everything: None, **options}, value=chosen, label=label)
