"""The forms of a report say the same, and what comes from a file cannot break them."""

import csv
import io
import json

import pytest

from olist_pipeline.audit import report
from olist_pipeline.audit.audit import audit

VIP = "select case when orders > {n} then 'VIP' when orders > 2 then 'LOYAL' else 'NEW' end as {name} from t"


@pytest.fixture
def found(tmp_path):
    texts = {
        "sales/a.sql": VIP.format(n=10, name="segment"),
        "sales/b.sql": VIP.format(n=5, name="segment"),
        "people/c.sql": "select case when x = '<script>' then '=1+1' else '<b>' end as label from t",
        "people/d.sql": "select x from",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return audit(tmp_path)


def test_json_holds_everything(found):
    told = json.loads(report.as_json(found))
    assert told["files"] == 4
    assert [(row["file"], row["line"], row["column"]) for row in told["findings"]] == [
        ("people/c.sql", 1, "label"), ("sales/a.sql", 1, "segment"), ("sales/b.sql", 1, "segment"),
    ]  # fmt: skip
    assert {tuple(row) for row in told["findings"]} == {report.COLUMNS}
    [near] = told["copies"]
    assert (near["exact"], near["differences"]) == (False, ["10 -> 5"])
    assert [problem["file"] for problem in told["problems"]] == ["people/d.sql"]


def test_the_summary_begins_with_the_simplest_context(found):
    rows = report.summary(found)
    assert [(row["context"], row["findings"], row["open"], row["done_percent"]) for row in rows] == [
        ("people", 1, 1, 0), ("sales", 2, 2, 0),
    ]  # fmt: skip
    assert rows[1]["high_priority"] == 2, "near copies are urgent"


def test_csv_has_the_columns_of_the_guide_and_no_formula(found):
    rows = list(csv.DictReader(io.StringIO(report.as_csv(found))))
    assert {"file", "rule", "complexity", "priority"} <= set(rows[0])
    assert [row["kind"] for row in rows] == ["classification"] * 3 + ["problem"]
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_html_needs_nothing_else_and_escapes_what_it_shows(found):
    page = report.as_html(found)
    assert "<script" not in page.replace("&lt;script", "")
    assert "http" not in page
    assert "10 -&gt; 5" in page
    assert "people/d.sql" in page
