"""`olist events --follow`: from a place or from now on, line by line, and it goes on where it ended."""

import json
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.reports import events
from olist_pipeline.stores import events as event_store
from tests.environment import bare
from tests.patience import patient, wait_for
from tests.pipeline.stores.test_tail import append


@pytest.fixture
def store(database, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    return database


def followed(*arguments):
    result = CliRunner().invoke(events, ["--follow", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_it_goes_on_after_the_place_of_the_last_line(store):
    append(store, ("OrderPlaced", "o1", 1), ("OrderApproved", "o1", 2), ("OrderPlaced", "o2", 1))
    [first, second] = map(json.loads, followed("--after", "0:0", "--limit", "2", "--json"))
    [third] = map(json.loads, followed("--after", second["checkpoint"], "--limit", "1", "--json"))
    assert [(e["event_type"], e["aggregate_id"]) for e in (first, second, third)] == [
        ("OrderPlaced", "o1"),
        ("OrderApproved", "o1"),
        ("OrderPlaced", "o2"),
    ]


def test_only_what_is_wanted_is_printed(store):
    append(store, ("OrderPlaced", "o1", 1), ("OrderApproved", "o1", 2), ("OrderPlaced", "o2", 1))
    [line] = followed("--after", "0:0", "--limit", "1", "--type", "OrderApproved")
    assert "OrderApproved  o1  2" in line
    [line] = followed("--after", "0:0", "--limit", "1", "--id", "o2")
    assert "OrderPlaced  o2  1" in line


def test_without_a_place_it_begins_with_what_comes_now(store):
    append(store, ("OrderPlaced", "old", 1))
    found = []
    reader = threading.Thread(target=lambda: found.extend(followed("--limit", "1", "--type", "OrderShipped")))
    reader.start()
    version = iter(range(1, 10_000))
    wait_for(lambda: append(store, ("OrderShipped", "new", next(version))) or not reader.is_alive(), "a line", 20)
    assert "OrderShipped  new" in found[0]


def test_a_reader_that_goes_away_ends_it_without_a_word(store):
    append(store, *(("OrderPlaced", f"o{n}", 1) for n in range(3000)))
    command = f"{sys.executable} -m olist_pipeline events --follow --after 0:0 | head -1"
    environment = {**bare(), "OLIST_POSTGRES_URL": store, "OLIST_HOME": "/nonexistent"}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=patient(60))
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_a_table_has_the_payload_as_json_too(monkeypatch, store):
    append(store, ("OrderPlaced", "o1", 1))
    [row] = event_store.find(store, aggregate_id=None, event_type=None, limit=1)
    monkeypatch.setattr(event_store, "find", lambda *_, **__: [{**row, "payload": {"city": "São"}}])
    assert '{"city": "São"}' in CliRunner(env={"COLUMNS": "200"}).invoke(events, []).stdout


def test_json_of_a_part_says_that_it_is_one(store):
    append(store, ("OrderPlaced", "o1", 1), ("OrderApproved", "o1", 2), ("OrderPlaced", "o2", 1))
    part, whole = (CliRunner().invoke(events, ["--json", "--limit", limit]) for limit in ("2", "3"))
    assert (len(json.loads(part.stdout)), part.stderr) == (2, "2 of 3: --limit prints more.\n")
    assert (len(json.loads(whole.stdout)), whole.stderr) == (3, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--follow", "--after", "yesterday"], "is no checkpoint"), (["--after", "0:0"], "--after goes with --follow")],
)
def test_what_cannot_be_is_said(store, arguments, words):
    result = CliRunner().invoke(events, arguments)
    assert result.exit_code != 0
    assert words in result.output + str(result.exception)
