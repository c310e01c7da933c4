"""The body of an alert is what its receiver takes: Slack, Teams, or whoever reads JSON."""

import json
import re
from dataclasses import replace

import pytest

from olist_pipeline.alerts import MOST_OF_SLACK, MOST_TEXT, Alert, body_for, links, payload_of
from olist_pipeline.settings import Settings

SLACK = "https://hooks.slack.com/services/T0/B0/x"
TEAMS = "https://prod-1.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=s"
ALERT = Alert("parity_regressed", "1", "Parity is red & <odd>.", command="olist parity fact_orders", run_id="r1")


@pytest.fixture
def settings(tmp_path):
    home = tmp_path / "home"
    (home / "reports").mkdir(parents=True)
    (home / "reports" / "parity-r1.html").touch()
    return Settings(home, home / "landing", None, ui_url="https://dagster.example.com")


def test_slack_takes_text_and_blocks_that_name_command_run_and_report(settings):
    body = body_for(SLACK, payload_of(settings, ALERT))
    assert set(body) == {"text", "blocks"}, "Slack refuses what it does not know"
    [section] = body["blocks"]
    said = section["text"]["text"]
    assert "Parity is red &amp; &lt;odd&gt;." in said
    assert "`olist parity fact_orders`" in said
    assert "<https://dagster.example.com/runs/r1|run>" in said
    assert "parity-r1.html" in said


@pytest.mark.parametrize("url", [TEAMS, "https://firm.webhook.office.com/webhookb2/x"])
def test_teams_takes_an_adaptive_card(settings, url):
    body = body_for(url, payload_of(settings, ALERT))
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert [action["url"] for action in card["actions"]] == ["https://dagster.example.com/runs/r1"]
    texts = [block["text"] for block in card["body"]]
    assert ALERT.text in texts
    assert "Mend: olist parity fact_orders" in texts
    assert any("parity-r1.html" in text for text in texts)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/hook", "https://example.com/hooks.slack.com", "https://nothooks.slack.com/x"]
)
def test_whoever_else_listens_gets_the_fields(settings, url):
    body = body_for(url, payload_of(settings, ALERT))
    assert (body["kind"], body["text"], body["command"]) == (ALERT.kind, ALERT.text, ALERT.command)
    assert set(body["links"]) == {"run", "report"}


@pytest.mark.parametrize("text", ["x" * 10_000, "<&>" * 3_000, "&" * 599, "x" * 2_890])
def test_slack_takes_no_section_of_more_than_its_characters(settings, text):
    body = body_for(SLACK, payload_of(settings, replace(ALERT, text=text)))
    said = body["blocks"][0]["text"]["text"]
    assert len(said) <= MOST_OF_SLACK
    assert "Mend: `olist parity fact_orders`\n<https://dagster.example.com/runs/r1|run>" in said
    assert re.fullmatch(r"([^&]|&(amp|lt|gt);)*", said), "no entity is cut"


@pytest.mark.parametrize("url", [SLACK, TEAMS])
def test_a_long_sentence_fits(settings, url):
    body = body_for(url, payload_of(settings, replace(ALERT, text="x" * 10_000)))
    assert len(json.dumps(body)) < 2.5 * MOST_TEXT


def test_an_alert_of_no_run_leads_nowhere(settings):
    assert links(settings, replace(ALERT, run_id="")) == {}
    assert set(links(settings, replace(ALERT, run_id="r2"))) == {"run"}, "r2 has no report"
    body = body_for(TEAMS, payload_of(settings, replace(ALERT, run_id="", command="")))
    assert "actions" not in body["attachments"][0]["content"]
