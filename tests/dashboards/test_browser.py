"""The dashboards as a manager sees them: served by `olist dashboards` and exported, in a real browser."""

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboards.export import content_of, html
from dashboards.page import PAGES
from olist_pipeline.cli.servers import dashboards
from olist_pipeline.serving.release import point_to
from tests.dashboards.browser import FAILED, Scheme, chromium, watched
from tests.end_to_end.world import OLIST
from tests.patience import patient, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.long]

READERS: tuple[tuple[int, Scheme], ...] = ((1440, "light"), (320, "dark"))
"""How a page is read: wide and light, narrow and dark. Either width shows what the other scheme would too."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(homes, tmp_path_factory) -> Path:
    """A home of two releases: 1 of the old tree, which is served, and 2 of the new one."""
    folder = tmp_path_factory.mktemp("home")
    releases = folder / "serving" / "releases"
    shutil.copytree(homes / "old" / "serving" / "releases" / "00001", releases / "00001")
    shutil.copytree(homes / "new" / "serving" / "releases" / "00001", releases / "00002")
    for tree in ("old", "new"):
        shutil.copytree(homes / tree / "serving" / "data", folder / "serving" / "data", dirs_exist_ok=True)
    manifest = releases / "00002" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"number": 1', '"number": 2'))
    point_to(folder / "serving", 1)
    return folder


@pytest.fixture(scope="module")
def address(home):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "OLIST_HOME": str(home)}
    server = subprocess.Popen([str(OLIST), "dashboards", "--port", str(port)], env=environment, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        await_answer(server, address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=patient(20))


def await_answer(server, address):
    def has_answered():
        if server.poll() is not None:
            return f"the server has ended with {server.returncode}"
        urllib.request.urlopen(address, timeout=5).close()
        return "answered"

    assert wait_for(has_answered, "the dashboards' server", 60) == "answered"


@pytest.mark.parametrize("name", PAGES)
def test_a_served_page_is_drawn_without_a_complaint(browser, address, tmp_path, name):
    seen = watched(browser)
    seen.page.goto(f"{address}/{name}/")
    seen.await_drawn()
    seen.page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith((address, "data:", "blob:"))] == []
    assert seen.page.locator(FAILED).count() == 0
    assert "Release 1" in seen.page.locator(".release").inner_text()
    assert (tmp_path / f"{name}.png").stat().st_size > 20_000
    seen.page.close()


def test_an_open_page_filters_and_then_notices_a_new_release_and_keeps_the_filter(browser, home, address):
    seen = watched(browser)
    seen.page.goto(f"{address}/sales/")
    seen.await_drawn()
    orders = seen.page.locator(".figure", has=seen.page.get_by_text("Orders", exact=True)).locator(".value")
    whole = orders.inner_text()
    seen.page.locator("select").nth(2).select_option("Delivered")
    seen.page.wait_for_function(CHANGED, arg=whole)
    delivered = orders.inner_text()
    try:
        point_to(home / "serving", 2)
        # The clock's own button: a beat now instead of one in ten seconds.
        seen.page.locator("marimo-refresh button").first.click()
        seen.page.wait_for_function("document.querySelector('.release')?.dataset.release === '2'")
        seen.await_drawn()
        assert orders.inner_text() == delivered, "orders without items are not delivered: both trees serve the same"
        assert seen.page.locator("select").nth(2).input_value() == "Delivered"
        assert seen.complaints == []
    finally:
        point_to(home / "serving", 1)
        seen.page.close()


CHANGED = """(before) => {
    const figures = [...document.querySelectorAll('.figure')];
    const found = figures.find((figure) => figure.querySelector('.label').textContent === 'Orders');
    return found !== undefined && found.querySelector('.value').textContent !== before;
}"""


def test_the_index_leads_to_every_page(browser, address):
    seen = watched(browser)
    seen.page.goto(address)
    links = seen.page.locator("a.panel").evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    assert links == [f"/{name}/" for name in PAGES]
    assert seen.complaints == []
    seen.page.close()


def test_exported_pages_are_drawn_from_the_disk_alone(browser, home, tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(home))
    written = CliRunner().invoke(dashboards, ["--export", str(tmp_path)], catch_exceptions=False).output.splitlines()
    assert [Path(line).name for line in written] == ["index.html", *(f"{name}.html" for name in PAGES)]
    for name, (width, scheme) in product(PAGES, READERS):
        seen = watched(browser, width=width, scheme=scheme)
        seen.page.goto((tmp_path / f"{name}.html").as_uri())
        seen.await_drawn()
        assert seen.complaints == []
        assert [url for url in seen.requests if not url.startswith("file:")] == [], name
        assert seen.serious_findings() == [], (name, width, scheme)
        assert seen.width() <= width, "nothing is cut off, and nobody scrolls sideways"
        assert seen.cut_off() == [], (name, width)
        assert is_dark(seen) == (scheme == "dark")
        seen.page.close()


def is_dark(seen) -> bool:
    colour = seen.page.evaluate("getComputedStyle(document.querySelector('.panel')).backgroundColor")
    [red] = re.findall(r"rgb\((\d+)", colour)
    return int(red) < 128


def test_the_numbers_of_a_chart_open_by_keyboard(browser, home, tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(home))
    page = tmp_path / "sellers.html"
    page.write_text(html(content_of("sellers")), "utf-8")
    seen = watched(browser)
    seen.page.goto(page.as_uri())
    seen.await_drawn()
    numbers = seen.page.locator(".panel details").first
    for _ in range(len(PAGES) + 1):
        seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert numbers.locator("tbody tr").first.is_visible()
    seen.page.close()


@pytest.mark.parametrize("name", ["migration", "products"])
def test_paper_has_every_row_of_a_table(browser, home, tmp_path, monkeypatch, name):
    monkeypatch.setenv("OLIST_HOME", str(home))
    page = tmp_path / f"{name}.html"
    page.write_text(html(content_of(name)), "utf-8")
    seen = watched(browser, width=718)
    seen.page.emulate_media(media="print")
    seen.page.goto(page.as_uri())
    seen.await_drawn()
    tables = seen.page.locator(".panel > .scroll")
    assert tables.count() > 1
    is_cut = "one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1"
    assert tables.evaluate_all(f"all => all.filter(one => {is_cut}).length") == 0
    seen.page.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1440, "dark")])
def test_a_served_page_is_what_its_reader_wants(browser, address, width, scheme):
    seen = watched(browser, width=width, scheme=scheme)
    seen.page.goto(f"{address}/executive/")
    seen.await_drawn()
    assert seen.complaints == []
    assert seen.width() <= width
    assert is_dark(seen)
    # What is around our own part is marimo's.
    assert [found for found in seen.serious_findings() if 'class="olist' in found] == []
    seen.page.close()


def test_a_watched_page_tells_what_is_wrong(browser, tmp_path):
    """The tests above can fail."""
    page = tmp_path / "broken.html"
    page.write_text(
        "<script>console.error('broken'); throw new Error('thrown')</script><img src='http://127.0.0.1:9/x'>"
    )
    seen = watched(browser)
    seen.page.goto(page.as_uri())
    assert {"broken", "thrown"} <= set(seen.complaints)
    assert "http://127.0.0.1:9/x" in seen.requests
    seen.page.close()
