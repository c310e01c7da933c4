"""Alert messages: what an alert looks like where people read it.

What belongs here: the body that a receiver takes, by whose webhook it is, and the links in it. What does not: when an
alert is raised, its log, and its delivery (`alerts`).

Slack and Teams take their own forms and refuse others; whoever else listens gets the alert's fields as JSON, with
`text`, which most chats show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
TEAMS_HOSTS = (".webhook.office.com", ".logic.azure.com", ".environment.api.powerplatform.com")
"""Teams' webhooks are workflows of Power Automate, and what is left of its old connectors."""

MOST_TEXT = 2_900
"""Characters of a sentence."""

MOST_OF_SLACK = 3_000
"""Characters of a section of Slack, which refuses a longer one."""


def body_for(webhook: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body for the receiver of `webhook`; `payload` is the alert's JSON form."""
    try:
        host = (urlsplit(webhook).hostname or "").lower()
    except ValueError:
        host = ""  # no address at all, as its delivery will say
    if host in SLACK_HOSTS:
        return _slack(payload)
    return _teams(payload) if host.endswith(TEAMS_HOSTS) else dict(payload)


def _slack(payload: Mapping[str, Any]) -> dict[str, Any]:
    head = f":red_circle: *{payload['kind']}*"
    mend = f"Mend: `{_slack_text(str(payload['command']))}`" if payload["command"] else ""
    # A link to a file is none that a chat opens: its path is written.
    named = [
        f"<{address}|{name}>" if _is_web(address) else f"{name}: `{_slack_text(address)}`"
        for name, address in payload["links"].items()
    ]
    others = [head, *filter(None, (mend, " · ".join(named)))]
    text = _slack_text(str(payload["text"]), MOST_OF_SLACK - len("\n".join(others)) - 1)
    said = "\n".join([head, text, *others[1:]])
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": said}}]}


def _teams(payload: Mapping[str, Any]) -> dict[str, Any]:
    head = _line(str(payload["kind"]), weight="Bolder", color="Attention")
    blocks = [head, _line(_cut(str(payload["text"])))]
    if payload["command"]:
        blocks.append(_line(f"Mend: {payload['command']}", fontType="Monospace"))
    links = payload["links"]
    blocks += [_line(f"{name}: {address}", isSubtle=True) for name, address in links.items() if not _is_web(address)]
    opened = [
        {"type": "Action.OpenUrl", "title": name, "url": address} for name, address in links.items() if _is_web(address)
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        **({"actions": opened} if opened else {}),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _line(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **look}


def _slack_text(text: str, most: int = MOST_OF_SLACK) -> str:
    """Return a text that is no markup of Slack's, whoever wrote it, of at most so many characters."""
    written = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"&\w* \.\.\.$", " ...", _cut(written, most)) if len(written) > most else written


def _is_web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _cut(text: str, most: int = MOST_TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."
