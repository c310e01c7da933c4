"""Alerts: telling people that something went wrong, through a log and a webhook.

What belongs here: writing an alert down and delivering it, in the form that its receiver takes. What does not: deciding
that something is wrong (sensors, gates and runs do).

An alert is a line of `$OLIST_HOME/logs/alerts.jsonl` first; then it is posted to `OLIST_ALERT_WEBHOOK`, where that is
set, and a second line says that it arrived. An alert whose key is known to have arrived is not sent again, so whoever
raises alerts may do it again after a crash. A webhook that does not answer costs seconds and raises nothing.

Slack and Teams take their own forms and refuse others; whoever else listens gets the alert's fields as JSON, with
`text`, which most chats show.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPException, InvalidURL
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from olist_pipeline.files import append_line
from olist_pipeline.settings import Settings

TRIES = 3
TIMEOUT = 2.0
"""Seconds that one try may take."""
PAUSE = 0.5
"""Seconds between the first two tries; then twice as many."""

SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
TEAMS_HOSTS = (".webhook.office.com", ".logic.azure.com", ".environment.api.powerplatform.com")
"""Teams' webhooks are workflows of Power Automate, and what is left of its old connectors."""

MOST_TEXT = 2_900
"""Characters of a sentence."""

MOST_OF_SLACK = 3_000
"""Characters of a section of Slack, which refuses a longer one."""

_log = logging.getLogger("olist.alerts")


@dataclass(frozen=True)
class Alert:
    """One thing that a person should know.

    `kind` is what happened (`run_failed`, `parity_regressed`); `key` tells this occurrence from all others of its kind,
    e.g. a run id; `text` is one sentence that says what is wrong, where, and what to do. `command` mends it, or shows
    more of it; `run_id` is the run that it is about, if any: the message leads to both run and report.
    """

    kind: str
    key: str
    text: str
    command: str = ""
    run_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


_NOTHING = {**asdict(Alert("", "", "")), "state": "", "at": ""}
"""What a line of another version has of the fields that it lacks."""


def send(settings: Settings, alert: Alert, *, wait: bool = False) -> None:
    """Write `alert` down and post it to the webhook; never raises.

    It returns before the webhook has answered, so that no run waits for it, unless `wait` is set; the process ends
    only after the last try.
    """
    # What an error says may hold the name of a file that is no text: neither a log nor a webhook could write it.
    alert = replace(alert, text=alert.text.encode("utf-8", "replace").decode())
    try:
        known = _states_of(settings, alert)
        if "delivered" in known or ("raised" in known and settings.alert_webhook is None):
            return
        if "raised" not in known:
            _write(settings, alert, "raised")
            _log.error("%s", alert.text)
        if settings.alert_webhook is None:
            return
        delivery = threading.Thread(target=_deliver, args=(settings, alert), name="olist-alert")
        delivery.start()
        if wait:
            delivery.join()
    except Exception:  # an alert that cannot be sent must not break what it is about
        _log.exception("The alert %s %s could not be raised", alert.kind, alert.key)


def history(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield every line of the alert log, the oldest first: the fields of Alert, `state` and `at`."""
    path = log_path(settings)
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, TypeError):  # the line that a killed process was writing, or somebody's own
                yield {**_NOTHING, **json.loads(line)}


def links(settings: Settings, alert: Alert) -> dict[str, str]:
    """Return where the run and its report are, by name: the UI's address, and a file where it has been written."""
    if not alert.run_id:
        return {}
    report = settings.reports / f"parity-{alert.run_id}.html"
    found = {"run": f"{settings.ui_url}/runs/{alert.run_id}"}
    return {**found, "report": str(report)} if report.exists() else found


def payload_of(settings: Settings, alert: Alert) -> dict[str, Any]:
    """Return the JSON form of an alert that is raised now, with its links."""
    said = {**asdict(alert), "severity": "error", "links": links(settings, alert)}
    return {**said, "at": datetime.now(UTC).isoformat(timespec="seconds")}


def log_path(settings: Settings) -> Path:
    """Return the path of the alert log."""
    return settings.home / "logs" / "alerts.jsonl"


def _states_of(settings: Settings, alert: Alert) -> set[str]:
    return {line["state"] for line in history(settings) if (line["kind"], line["key"]) == (alert.kind, alert.key)}


def _write(settings: Settings, alert: Alert, state: Literal["raised", "delivered"]) -> None:
    path = log_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {**payload_of(settings, alert), "state": state}
    append_line(path, json.dumps(entry, default=str, ensure_ascii=False))


def _deliver(settings: Settings, alert: Alert) -> None:
    """Post the alert, trying again after a failure; a receiver tells repeated deliveries by kind and key."""
    message = body_for(str(settings.alert_webhook), payload_of(settings, alert))
    body = json.dumps(message, default=str, ensure_ascii=False).encode("utf-8", "replace")
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE * 2 ** (number - 1))
        try:
            _post_in_time(str(settings.alert_webhook), body)
        except (OSError, ValueError, HTTPException) as error:
            reason = _reason(error)
            _log.warning("OLIST_ALERT_WEBHOOK did not take an alert (try %d of %d): %s", number + 1, TRIES, reason)
        else:
            _write(settings, alert, "delivered")
            return


def _reason(error: Exception) -> str:
    """Return why an alert was not taken, without the webhook's address: whoever knows it may write there."""
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code}{', and no redirect is followed' if 300 <= error.code < 400 else ''}"
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, SSLCertVerificationError):  # a ValueError, too
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ValueError | InvalidURL | URLError):
        return "it must look like https://host/path"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirect for the refusal that it is: to follow one is to ask for a page, by which nothing is posted."""

    def redirect_request(self, *_: object) -> None:
        """See `HTTPRedirectHandler`."""


def _post_in_time(url: str, body: bytes) -> None:
    """Post within `TIMEOUT`, whatever the receiver does: a byte now and then keeps any single wait short."""
    ended: list[Exception | None] = []

    def post() -> None:
        try:
            _post(url, body)
            ended.append(None)
        except Exception as error:  # it is raised where somebody waits for it
            ended.append(error)

    # The end of the process does not wait for it.
    thread = threading.Thread(target=post, name="olist-alert-post", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    error = ended[0] if ended else TimeoutError()
    if error is not None:
        raise error


def _post(url: str, body: bytes) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError("no address of the web")
    request = Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
    with build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
        return


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
