"""Fixtures that several packages of tests share: where the real data is, a server, an environment."""

import functools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import hypothesis
import pytest

from olist_pipeline.settings import Settings
from olist_pipeline.spark.requirements import missing
from olist_pipeline.stores import postgres, roles, schema
from olist_pipeline.stores.schema import VERSION_SCHEMA, VERSION_TABLE
from tests.shared import made_once, parsed_settings, shared_dbt

PROJECT = Path(__file__).parents[1]
OPERATIONAL_TABLES = [table for table in roles.RUNTIME_RIGHTS if table != f"{VERSION_SCHEMA}.{VERSION_TABLE}"]
DROP_UNITS = """
DO $$
DECLARE part text;
BEGIN
    FOR part IN SELECT tablename FROM pg_tables WHERE schemaname = 'event_store' AND tablename ~ '^events_[1-9]' LOOP
        EXECUTE format('DROP TABLE event_store.%I', part);
    END LOOP;
END $$
"""
LONGEST = (
    "test_dagster",
    "test_fifth_context",  # does not wait for the first run, which the other worker makes meanwhile
    "test_faults",
    "test_tutorial",
    "test_run",
    "test_last_phase",
    "test_browser",
    "test_warehouse_traps",
    "test_objects_and_frames",
)
"""The files that take longest, a file's place among them a guess that only balance depends on."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the workers shared (see `tests/shared.py`), once all of them are done."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(Path(tempfile.gettempdir()) / f"olist-shared-{os.getpid()}", ignore_errors=True)


# On a machine that does other things too, any single example may take seconds.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@functools.cache
def what_spark_lacks() -> str:
    """Return why tests of Spark cannot run here; nothing where they can."""
    return missing("local[2]")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what its folder or its fixtures tell of; all other markers stand at the tests."""
    if (PROJECT / "tests" / "end_to_end") in item.path.parents:
        item.add_marker("end_to_end")
    if "real_data" in getattr(item, "fixturenames", ()):
        item.add_marker("slow")
    if item.get_closest_marker("spark") and (lacks := what_spark_lacks()):
        item.add_marker(pytest.mark.skip(reason=lacks))
    if item.get_closest_marker("browser") and shutil.which("chromium") is None:
        item.add_marker(pytest.mark.skip(reason="no browser here: install Debian's chromium"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, so that the workers end together, and last those that wait for the first run.

    One worker makes that run for all: the others have something else to do meanwhile.
    """
    waiting = {item.path for item in items if "finished" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> int:
        stem = item.path.stem
        return LONGEST.index(stem) if stem in LONGEST else len(LONGEST) + (item.path in waiting)

    items.sort(key=place)


def real_data_folder() -> Path | None:
    named = os.environ.get("OLIST_TEST_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared" / "data" / "olist"
    return folder if (folder / "olist_orders_dataset.csv").exists() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = real_data_folder()
    if folder is None:
        pytest.skip("the real Olist files are not here: set OLIST_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the server's own user can reach: pytest closes its folders to all other users."""
    folder = Path(tempfile.mkdtemp(prefix="olist-test-"))
    folder.chmod(0o755)
    yield folder
    for lock in folder.rglob("postmaster.pid"):
        # A server that a killed run left behind has nobody else to stop it.
        with suppress(ProcessLookupError):
            os.kill(int(lock.read_text().split()[0]), signal.SIGINT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(server_folder) -> str:
    """A real PostgreSQL for this worker, with the operational schemas."""
    settings = Settings(server_folder / "shared", Path("unused"), None)
    url = postgres.server_url(settings)
    with closing(postgres.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        # Nobody needs the rows of a test after a power failure.
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")
    schema.migrate(url)
    return url


@pytest.fixture(scope="session")
def dagster_server(server) -> str:
    """The same server, with the tables of Dagster."""
    from olist_pipeline.orchestration.internals.storage import migrate_storage

    migrate_storage(server)
    return server


@pytest.fixture(scope="session")
def parsed_project() -> Settings:
    """Settings of a home in which dbt's manifest is parsed: once for all workers, for it takes seconds."""
    return parsed_settings()


@pytest.fixture(scope="session")
def compiled_project() -> Path:
    """The manifest with the SQL of all three trees, compiled once for all workers (see `fuzz/compiled.py`)."""
    from tests.fuzz.compiled import compiled_manifest

    with made_once("compiled") as folder:
        return compiled_manifest(folder, shared_dbt())


@pytest.fixture(scope="session")
def finished():
    """The first `olist run` over an empty home (see `end_to_end/first_run.py`)."""
    # The tests of the domain alone need neither DuckDB nor the generator.
    from tests.end_to_end.first_run import first_run

    return first_run()


def empty_stores(url: str) -> None:
    """Empty the operational stores of a server."""
    with postgres.transaction(url) as connection, connection.cursor() as cursor:
        # What is append-only refuses to be emptied, but for a superuser who switches its triggers off.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(DROP_UNITS)
        cursor.execute(f"TRUNCATE {', '.join(OPERATIONAL_TABLES)} RESTART IDENTITY")


@pytest.fixture
def database(server) -> str:
    """A server whose operational stores are empty."""
    empty_stores(server)
    return server


@pytest.fixture
def landing(tmp_path) -> Path:
    """A small landing of two valid orders, which a test spoils."""
    folder = tmp_path / "landing"
    shutil.copytree(PROJECT / "tests" / "pipeline" / "two_orders", folder)
    return folder


@pytest.fixture
def settings(tmp_path, landing, database) -> Settings:
    return Settings(tmp_path / "home", landing, database)
