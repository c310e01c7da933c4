"""The pictures in docs: the dashboards and Dagster's pages, over the release of OLIST_HOME, or of a synthetic set.

make pictures                              # of a synthetic set, which it makes and runs first
OLIST_HOME=... make pictures               # of the release that is there
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dagster_pictures import draw_dagster
from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
IMAGES = PROJECT / "docs" / "images"
OLIST = [sys.executable, "-m", "olist_pipeline"]
WIDTH, HEIGHT = 1440, 1000
DRAWN = "() => [...document.querySelectorAll('.panel .chart')].every((place) => place.querySelector('svg, canvas'))"


def draw(site: Path, images: Path, chromium: str, environment: Mapping[str, str]) -> list[Path]:
    """Draw every page of an exported site, light and wide, and the first one dark and narrow, and Dagster's pages.

    `environment` has the OLIST_HOME whose runs Dagster shows. Returns the pictures.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        pages = [page for page in sorted(site.glob("*.html")) if page.stem != "index"]
        made = [_shoot(browser, page, images / f"dashboard_{page.stem}.png", WIDTH, "light") for page in pages]
        made.append(_shoot(browser, site / "executive.html", images / "dashboard_executive_dark.png", 400, "dark"))
        made += draw_dagster(browser, images, environment)
        browser.close()
    return made


def _shoot(browser, page: Path, picture: Path, width: int, scheme: str) -> Path:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    tab.goto(page.as_uri())
    tab.wait_for_function(DRAWN)
    tab.screenshot(path=picture)
    tab.close()
    return picture


def main() -> None:
    """Make what is missing, and draw."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("There is no chromium here; install Debian's package of that name.")
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        environment = {"OLIST_HOME": str(Path(folder, "home")), **os.environ}
        if not Path(environment["OLIST_HOME"], "serving", "current").exists():
            for command in (["run"], ["backfill", "sales", "--from", "2017-07", "--to", "2017-12"]):
                subprocess.run([*OLIST, *command], cwd=PROJECT, env=environment, check=True)
        subprocess.run(
            [*OLIST, "dashboards", "--export", str(site)],
            cwd=PROJECT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for picture in draw(site, IMAGES, chromium, environment):
            print(picture.relative_to(PROJECT))


if __name__ == "__main__":
    main()
