"""Owners: nobody writes in a home what its owner could not read."""

import os
import pwd
import shutil
import subprocess

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.owners import refuse_stranger
from olist_pipeline.serving import journal
from olist_pipeline.serving.follow import Follower
from olist_pipeline.settings import Settings
from olist_pipeline.stores import embedded

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder to another user")


@pytest.fixture
def foreign(tmp_path):
    """Return a home that a user called nobody has made."""
    (tmp_path / "serving").mkdir()
    os.chown(tmp_path / "serving", pwd.getpwnam("nobody").pw_uid, -1)
    before = os.umask(0o077)
    yield tmp_path
    os.umask(before)


@AS_ROOT
def test_no_command_writes_in_the_home_of_another_user(foreign):
    """A rollback of root left a journal that the owner of the home could not read: all their commands ended there."""
    said = f"The home {foreign} belongs to the user nobody, and this is the user root: run the command as its owner"
    settings = Settings.from_env({"OLIST_HOME": str(foreign)})
    for writes in (
        lambda: switch(foreign / "serving"),
        lambda: embedded.url_of(foreign / "postgres"),
        lambda: Follower(settings),
    ):
        with pytest.raises(OlistError) as raised:
            writes()
        assert str(raised.value).startswith(said)
    assert [path.name for path in foreign.rglob("*")] == ["serving"]


def switch(serving):
    with journal.sole_switch(serving):
        pass


@AS_ROOT
def test_an_access_list_that_lets_both_write_is_a_home_of_both(foreign):
    command = ["setfacl", "-m", "d:u:nobody:rwX", str(foreign / "serving")]
    if not shutil.which(command[0]) or subprocess.run(command, check=False).returncode:
        pytest.skip("there are no access lists here")
    refuse_stranger(foreign)
    assert [path.name for path in foreign.rglob("*")] == ["serving"]


def test_a_home_without_folders_or_on_a_disk_without_owners_is_anybodys(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    refuse_stranger(tmp_path)
    (tmp_path / "locks").mkdir()
    refuse_stranger(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["locks"]
