"""Chromium without a screen, and what a page asked for and complained of while it was open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.patience import patient

Scheme = Literal["light", "dark"]
CHROMIUM = shutil.which("chromium")
QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"

DRAWN = """() => {
    const inside = (place) => (place.shadowRoot ?? place).querySelector('canvas, svg.marks');
    const places = [...document.querySelectorAll('.panel marimo-mime-renderer, .panel .chart')];
    return places.length > 0 && places.every(inside) && document.querySelector('.complete') !== null;
}"""
"""Whether the page is whole and every chart of it is drawn; marimo draws them in shadow trees."""

CUT_OFF = """() => [...document.querySelectorAll('.panel svg.marks')].flatMap(chart => {
    const place = chart.getBoundingClientRect();
    const isOutside = ({left, right, top, bottom}) =>
        right > place.right + 1 || left < place.left - 1 || top < place.top - 1 || bottom > place.bottom + 1;
    return [...chart.querySelectorAll('text')]
        .filter(text => getComputedStyle(text).opacity !== '0' && isOutside(text.getBoundingClientRect()))
        .map(text => text.textContent);
})"""
"""The words of charts that are not wholly within them: what is outside is not shown."""

FAILED = "[data-testid='cell-error'], .marimo-error, .vega-error, marimo-callout-output"
"""What marimo and Vega put in the place of a result that failed."""


@dataclass
class Watched:
    """An open page, its requests and its complaints."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def serious_findings(self) -> list[str]:
        """Return what axe-core finds that keeps people out, with the first place of each."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def width(self) -> int:
        """Return how wide the page is, what a reader would have to scroll to included."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        return wide

    def cut_off(self) -> list[str]:
        """Return the words of charts of which a part is cut off."""
        words: list[str] = self.page.evaluate(CUT_OFF)
        return words

    def await_drawn(self) -> None:
        """Wait until every chart is drawn."""
        self.page.wait_for_function(DRAWN)


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """Yield a browser, whose pages share what it has loaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), "--no-first-run"])
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(1000 * patient(30))
        yield context
        browser.close()


def watched(browser: BrowserContext, *, width: int = 1440, scheme: Scheme = "light") -> Watched:
    """Return a new page that is watched; its reader's system is light or dark."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    seen = Watched(page)

    def note_error(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.complaints.append(message.text)

    def note_failure(response: Response) -> None:
        if response.status >= 400:
            seen.complaints.append(response.url)

    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", note_error)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("response", note_failure)
    return seen
