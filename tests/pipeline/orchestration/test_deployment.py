"""The files of a server. No container engine runs here: they are read, and held against what they speak of."""

import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())


def test_a_server_has_a_database_a_code_location_a_webserver_and_a_daemon(compose):
    assert set(compose["services"]) == {"postgres", "code", "webserver", "daemon"}
    for name in ("code", "webserver", "daemon"):
        service = compose["services"][name]
        assert service["environment"]["OLIST_POSTGRES_URL"].startswith("postgresql://olist:")
        assert service["environment"]["DAGSTER_HOME"] == service["environment"]["OLIST_HOME"] + "/dagster"
        assert {volume.split(":")[0] for volume in service["volumes"]} >= {"home"}
        assert (PROJECT / "deploy" / service["build"]["dockerfile"].removeprefix("deploy/")).exists()
    assert set(compose["volumes"]) == {"home", "postgres"}


def test_the_ui_is_not_open_to_the_world(compose):
    assert compose["services"]["webserver"]["ports"] == ["127.0.0.1:3000:3000"]


def test_webserver_and_daemon_find_the_code_server(compose):
    [location] = yaml.safe_load((PROJECT / "deploy" / "workspace.yaml").read_text())["load_from"]
    server = location["grpc_server"]
    assert server["host"] in compose["services"]
    assert f"-p {server['port']}" in compose["services"][server["host"]]["command"]


def test_everything_that_the_image_copies_is_there():
    text = (PROJECT / "deploy" / "Containerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.+)$", text, flags=re.M) for name in line.split()[:-1]]
    assert {"olist_domain", "olist_pipeline", "dbt", "requirements.lock"} <= set(copied)
    assert all((PROJECT / name).exists() for name in copied)
