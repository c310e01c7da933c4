"""The forms of a report say the same, and what comes from a file cannot break them."""

import csv
import io
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from olist_pipeline.audit import pages, report
from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.model import Problem
from olist_pipeline.cli.audit import audit as command

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
    assert rows[1]["high_priority"] == 1, "near copies are urgent, and a third at most is High"


def test_csv_has_the_columns_of_the_guide_and_no_formula(found):
    problem = Problem("=d.sql", None, "@ is no SQL")
    found = replace(found, problems=(*found.problems, problem))
    rows = list(csv.DictReader(io.StringIO(report.as_csv(found))))
    assert {"file", "rule", "complexity", "priority"} <= set(rows[0])
    assert [row["kind"] for row in rows] == ["classification"] * 3 + ["problem"] * 2
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row.values())


def test_html_needs_nothing_else_and_escapes_what_it_shows(found):
    page = pages.as_html(found)
    assert "<script" not in page.replace("&lt;script", "")
    assert "http" not in page
    assert "10 -&gt; 5" in page
    assert "people/d.sql" in page


def test_markdown_is_a_page_that_no_cell_breaks(found):
    page = pages.as_markdown(found)
    assert "| sales | 2 |" in page
    assert "`sales/a.sql:1`" in page
    assert "people/d.sql" in page
    assert "<script" not in page
    rows = [line for line in page.splitlines() if line.startswith("| people/")]
    assert [row.count(" | ") for row in rows] == [5] * len(rows)


def test_a_rule_that_is_cut_says_so(tmp_path):
    branches = " ".join(f"when orders > {number} then 'tier {number}'" for number in range(60))
    (tmp_path / "a.sql").write_text(f"select case {branches} end as tier from t")
    [row] = json.loads(report.as_json(audit(tmp_path)))["findings"]
    assert row["rule"].endswith(" ... [cut: the SQL has the rest]")
    assert "tier 59" in row["sql"]


def test_a_screen_shows_the_most_urgent_and_says_what_it_leaves_out(tmp_path):
    for number in range(40):
        (tmp_path / f"m{number}.sql").write_text(f"select a_{number} > {number + 2} as is_{number}_ago from t_{number}")
    (tmp_path / "x.sql").write_text(VIP.format(n=10, name="segment"))
    (tmp_path / "y.sql").write_text(VIP.format(n=5, name="segment"))
    shown = CliRunner().invoke(command, [str(tmp_path)])
    assert shown.exit_code == 0
    assert "Reading it as duckdb (nothing says which)." in shown.stderr
    assert len(shown.stdout.splitlines()) < 90
    assert "x.sql:1  segment" in shown.stdout
    assert "and 30 more findings: --all prints them" in shown.stdout
    everything = CliRunner().invoke(command, [str(tmp_path), "--all"]).stdout
    assert "m39.sql:1" in everything


def test_variables_are_given_as_dbt_takes_them(tmp_path):
    (tmp_path / "a.sql").write_text("select id from t where total > {{ var('least') }}")
    told = CliRunner().invoke(command, [str(tmp_path), "--json", "--vars", "{least: 40}"])
    assert json.loads(told.stdout)["findings"][0]["sql"] == "total > 40"
    for text in ("[", "7"):
        assert "write it as '{key: value}'" in str(
            CliRunner().invoke(command, [str(tmp_path), "--vars", text]).exception
        )
