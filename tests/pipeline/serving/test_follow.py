"""Following: the process that is started beside a rollback works in the same environment."""

import os
from pathlib import Path
from unittest import mock

from olist_pipeline.serving import follow
from olist_pipeline.settings import Settings


def test_it_finds_what_relative_paths_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = {
        "OLIST_HOME": "home",
        "OLIST_DATA_DIR": "data",
        "OLIST_POSTGRES_URL": "postgresql://u@h/d",
        "OLIST_POSTGRES_PASSWORD_FILE": "secret",
    }
    started = []
    with mock.patch.dict(os.environ, relative), mock.patch("subprocess.Popen") as popen:
        popen.side_effect = lambda *_, cwd, env, **__: started.append((cwd, env))
        settings = Settings.from_env()
        follow.Follower(settings)
    [(folder, environment)] = started
    monkeypatch.chdir(folder)
    there = Settings.from_env(environment)
    assert (folder, there) == ("/", settings)
    assert there.home == tmp_path / "home"
    assert there.postgres_password_file == Path(tmp_path / "secret")


def test_a_process_that_has_not_begun_is_no_fault_of_postgresql(tmp_path, monkeypatch):
    """At load PostgreSQL was said not to answer, which nobody had asked yet."""
    monkeypatch.setattr(follow, "START_SECONDS", 0)
    follower = follow.Follower(Settings(tmp_path, tmp_path, "postgresql://u@h/d"))
    assert follower.go() == "the process for it has not begun within 0 s: this machine is busy."
    assert follower._process
    with follower._process as process:
        process.kill()
