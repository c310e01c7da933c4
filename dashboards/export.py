"""The export: every dashboard as one HTML file that needs no network and no server.

What belongs here: running a notebook without marimo's server and writing its page. What does not: its content.

marimo's own export loads its scripts from elsewhere. Here the charts are drawn by the same Vega scripts, which stand
in the file; what only a server can do, filtering, is left out.
"""

from __future__ import annotations

import importlib
import json
from functools import lru_cache
from html import escape
from pathlib import Path

import altair as alt
import vl_convert

from dashboards.notebook import refusals, served
from dashboards.page import STYLE, Page, index, pages_of, specification
from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing

BODY = (
    "html, body { margin: 0; background: #fff; }"
    " @media (prefers-color-scheme: dark) { html, body { background: #12171d; } }"
)


def export(folder: Path) -> list[Path]:
    """Write an index and each dashboard of the release that is served now to `folder`; return their paths.

    Raises OlistError before the first release, and for one that lacks what a dashboard reads.
    """
    release = served()
    pages = {"index.html": index(_file, release)}
    for name in pages_of(release):
        pages[_file(name)] = html(content_of(name))
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in pages.items():
        with replacing(folder / file) as temporary:
            temporary.write_text(text, "utf-8")
    return [folder / file for file in pages]


def content_of(name: str) -> Page:
    """Return the page that a notebook makes with no filter set; raises OlistError where it makes none."""
    notebook = importlib.import_module(f"dashboards.pages.{name}")
    _, defined = notebook.app.run()
    if "content" not in defined:
        nothing = OlistError(f"{notebook.__file__} makes no `content`; let one of its cells return it.")
        raise refusals.pop() if refusals else nothing
    content: Page = defined["content"]
    return content


def html(page: Page) -> str:
    """Return a page as one HTML document with everything inside."""
    specs: list[str] = []

    def draw(chart: alt.TopLevelMixin) -> str:
        # "</script" would end the script element, also within a text, and "<!--<script" would let it never end.
        specs.append(json.dumps(specification(chart)).replace("<", "\\u003c"))
        return f'<div class="chart" id="chart{len(specs)}"></div>'

    body = page.body(draw)
    draws = "\n".join(f'draw("#chart{number}", {spec});' for number, spec in enumerate(specs, start=1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(page.title)} - Olist, release {page.release.number}</title><link rel="icon" href="data:,">'
        f"<style>{BODY}\n{STYLE.read_text('utf-8')}</style></head>"
        f'<body><main class="olist export">{page.head(_file)}{body}</main>\n'
        f"<script>{_vega()}</script>\n"
        "<script>const draw = (place, spec) => vegaEmbed(place, spec, spec.usermeta.embedOptions);\n"
        f"{draws}</script></body></html>\n"
    )


def _file(name: str) -> str:
    return f"{name}.html"


@lru_cache(maxsize=1)
def _vega() -> str:
    version = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)
    return script
