"""The files of a server, held against what they speak of. `.ci/image` starts it all; here they are read."""

import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
OURS = {"migrate", "code", "webserver", "daemon", "dashboards"}
RUNTIME = {"code", "webserver", "daemon"}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def test_every_service_is_held_to_little(services):
    assert set(services) == OURS | {"postgres"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit", "networks", "restart"} <= set(service), name
        assert not {"privileged", "cap_add", "pid", "network_mode"} & set(service), name


def test_every_service_that_stays_has_a_health_check(services):
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"migrate"}


def test_our_services_are_the_image_and_the_database_is_pinned(services):
    for name in OURS:
        build = services[name]["build"]
        assert (PROJECT / "deploy" / build["context"] / build["dockerfile"]).exists()
    assert re.fullmatch(r"docker\.io/library/postgres:18\.\d+@sha256:[0-9a-f]{64}", services["postgres"]["image"])


def test_passwords_are_files(compose, services):
    for name, service in services.items():
        for key, value in service["environment"].items():
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), f"{name}: {key}"
            if "PASSWORD" in key:
                assert key.endswith("_FILE")
                assert Path(value).name in service["secrets"]
                assert Path(value).name in compose["secrets"]


def test_what_runs_is_not_the_owner_of_the_tables(services):
    def role(name):
        [user] = re.findall(r"^postgresql://(\w+)@postgres:", services[name]["environment"]["OLIST_POSTGRES_URL"])
        return user

    assert role("migrate") == services["postgres"]["environment"]["POSTGRES_USER"]
    assert {role(name) for name in RUNTIME} == {"olist_runtime"}
    assert "--runtime olist_runtime" in services["migrate"]["command"]
    assert all("owner_password" not in services[name]["secrets"] for name in RUNTIME)


def test_nothing_starts_before_the_schema_is_there(services):
    for name in ("code", "dashboards"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_dashboards_read_and_reach_no_database(services):
    dashboards = services["dashboards"]
    assert dashboards["volumes"] == ["home:/data/home:ro"]
    assert "database" not in dashboards["networks"]
    assert "secrets" not in dashboards
    assert "OLIST_POSTGRES_URL" not in dashboards["environment"]


def test_the_database_is_on_a_network_of_its_own(compose, services):
    assert compose["networks"]["database"] == {"internal": True}
    assert services["postgres"]["networks"] == ["database"]
    assert "ports" not in services["postgres"]


def test_pages_are_open_to_this_machine_alone(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"], "dashboards": ["127.0.0.1:2718:2718"]}


def test_the_code_server_listens_on_a_socket_that_webserver_and_daemon_share(services):
    [location] = yaml.safe_load((PROJECT / "deploy" / "workspace.yaml").read_text())["load_from"]
    socket = location["grpc_server"]["socket"]
    assert f"--socket {socket} " in services["code"]["command"]
    assert services["code"]["healthcheck"]["test"][-1] == socket
    for name in RUNTIME:
        assert f"code:{Path(socket).parent}" in services[name]["volumes"]
    assert "0.0.0.0" not in services["code"]["command"]


def test_the_home_is_shared_for_locks_of_runs_are_in_it(services):
    for name in OURS:
        environment = services[name]["environment"]
        assert environment["DAGSTER_HOME"] == environment["OLIST_HOME"] + "/dagster"
        assert any(volume.startswith(f"home:{environment['OLIST_HOME']}") for volume in services[name]["volumes"])
