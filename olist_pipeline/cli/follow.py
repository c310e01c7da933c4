"""`olist events --follow`: what is appended to the event store, as it is appended.

What belongs here: printing, and waiting. What does not: how the tail is read (`stores.tail`).
"""

from __future__ import annotations

import json
import time
from typing import Any

import click

from olist_pipeline.cli import streams
from olist_pipeline.cli.visible import json_text, visible
from olist_pipeline.stores import tail
from olist_pipeline.stores.postgres import transaction

PAUSE_SECONDS = 0.25
"""Between two looks at a store in which nothing new is."""


def follow(url: str, after: tail.Checkpoint | None, wanted: tail.Wanted, most: int | None, *, as_json: bool) -> None:
    """Print the wanted events after a place, from now on where it is None, until there were `most` or nobody reads."""
    with transaction(url) as connection:
        tail.require_own_numbers(connection)
        place = tail.present(connection) if after is None else after
        printed = 0
        while True:
            connection.rollback()
            part = tail.read(connection, place, wanted)
            place = part.end
            for event in part.events:
                click.echo(_json(event) if as_json else _line(event))
                printed += 1
                if printed == most or streams.is_unread():
                    return
            if part.is_last:
                connection.rollback()
                time.sleep(PAUSE_SECONDS)


def _json(event: dict[str, Any]) -> str:
    return json_text({**event, "checkpoint": str(event["checkpoint"])})


def _line(event: dict[str, Any]) -> str:
    """Return one line, which steers no terminal whatever the payload holds."""
    payload = json.dumps(event["payload"], ensure_ascii=False)
    said = f"{event['occurred_at']}  {event['event_type']}  {event['aggregate_id']}  {event['version']}  {payload}"
    return visible(said)
