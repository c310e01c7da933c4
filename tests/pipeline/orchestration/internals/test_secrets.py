"""Secrets: a run with marked ones, and a search for them in all that was written, shown, stored or listed meanwhile."""

import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest

from olist_pipeline import alerts
from olist_pipeline.alerts import Alert
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.instance import prepare, quiet_instance
from olist_pipeline.settings import Settings
from olist_pipeline.stores import cluster, postgres
from tests.conftest import PROJECT
from tests.end_to_end.world import OLIST
from tests.pipeline.stores.test_address import kept_umask, said_by_events

MARK = "Marked7Secret"
PASSWORD = f"{MARK} @/:%é'\"?#"
WEBHOOK = f"http://127.0.0.1:1/hooks/{MARK}"
ROLE = "marked"


@pytest.fixture(scope="module")
def given(dagster_server, server_folder):
    """The address without a password of a role that needs its password, on a server that asks for it."""
    hba = server_folder / "shared" / "postgres" / "pg_hba.conf"
    before = hba.read_text()
    with closing(postgres.connect(dagster_server)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE ROLE {ROLE} SUPERUSER LOGIN PASSWORD %s", (PASSWORD,))
        hba.write_text(f"local all {ROLE} scram-sha-256\n{before}")
        cursor.execute("SELECT pg_reload_conf()")
        yield dagster_server.replace("//postgres@", f"//{ROLE}@")
        hba.write_text(before)
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


@pytest.fixture(scope="module")
def command_lines():
    """What the list of processes shows while the tests of this module run."""
    seen, is_over = set(), threading.Event()

    def look():
        while not is_over.wait(0.2):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    is_over.set()
    thread.join()


@pytest.fixture
def settings(given, database, tmp_path, landing, parsed_project, monkeypatch):
    """An environment with secrets, of which the password is in a file."""
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    home = tmp_path / "home"
    # A home of its own parses anew, for its profile names its own files: what other workers read must stay as it is.
    shutil.copytree(parsed_project.dbt_target, home / "dbt")
    for name in ("OLIST_ENGINE", "OLIST_AUTOMATION", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # preparing sets them
    monkeypatch.setenv("OLIST_HOME", str(home))
    monkeypatch.setenv("OLIST_DATA_DIR", str(landing))
    monkeypatch.setenv("OLIST_POSTGRES_URL", given)
    monkeypatch.setenv("OLIST_POSTGRES_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("OLIST_ALERT_WEBHOOK", WEBHOOK)
    return Settings.from_env()


@pytest.mark.long
def test_no_secret_is_shown_or_stored(settings, given, command_lines, capfd, caplog):
    prepare(settings)
    definitions = build_defs(settings)
    with quiet_instance(settings) as instance:
        for key, is_good in (("orders", True), ("sellers", False)):
            made = dg.materialize(
                [definitions.resolve_assets_def(["intake", key])],
                instance=instance,
                raise_on_error=False,
            )
            assert made.success is is_good, "the landing of two orders has no sellers"
        shown = asked(instance)
        reference = json.dumps(instance.get_ref().to_dict())  # on the command line of each process that Dagster starts
    alerts.send(settings, Alert("run_failed", "r1", "A run failed."), wait=True)
    assert "did not take an alert" in caplog.text
    listed = subprocess.run([OLIST, "events"], capture_output=True, check=False)
    written = [path.read_bytes() for path in settings.home.rglob("*") if path.is_file()]
    stored = subprocess.run([cluster.programs() / "pg_dump", url_of(settings)], capture_output=True, check=True).stdout
    printed = "".join(capfd.readouterr()) + caplog.text + repr(settings)

    assert b"intake__orders" in stored, "the search looks where the run was"
    assert any(bytes(OLIST) in line for line in command_lines)
    everything = [*written, stored, listed.stdout, listed.stderr, *command_lines]
    everything += [text.encode() for text in (shown, reference, printed)]
    assert not [text for text in everything if MARK.encode() in text]


def url_of(settings) -> str:
    """Return the address for a program of PostgreSQL's; it gets no password on its command line."""
    return postgres.server_url(settings).replace(f":{quote(PASSWORD, safe='')}@", "@").replace(ROLE, "postgres", 1)


def asked(instance) -> str:
    """Return what GraphQL says of resources, of the instance and of all runs with their events."""
    from dagster._core.remote_origin import InProcessCodeLocationOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
    from dagster_graphql.schema import create_schema

    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(
            executable_path=sys.executable, python_file=str(PROJECT / "olist_pipeline" / "definitions.py")
        )
    )
    with kept_umask(), WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as workspace:
        context = workspace.create_request_context()
        answer = create_schema().execute(QUERY, context_value=context)
    assert not answer.errors, answer.errors
    text = json.dumps(answer.data)
    missing = [
        word for word in ("pipeline", "WatchedRunLauncher", "intake__orders", "STEP_FAILURE") if word not in text
    ]
    assert not missing, "GraphQL was asked where secrets would be"
    return text


QUERY = """{
  repositoriesOrError { ... on RepositoryConnection { nodes {
    allTopLevelResourceDetails {
      name description configFields { name defaultValueAsJson } configuredValues { key value }
    }
  } } }
  instance { info }
  runsOrError { ... on Runs { results {
    runConfigYaml tags { key value }
    eventConnection { events { __typename ... on MessageEvent { message eventType } } }
  } } }
}"""


def test_a_wrong_password_is_named_and_not_shown(settings, monkeypatch, capsys):
    Path(os.environ["OLIST_POSTGRES_PASSWORD_FILE"]).write_text(f"{MARK} but wrong")
    said = said_by_events(os.environ["OLIST_POSTGRES_URL"], settings.home, monkeypatch, capsys)
    assert "PostgreSQL refuses the user or the password" in said
    assert MARK not in said
