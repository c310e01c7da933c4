"""The folder of a user's in the temporary folder: whose it is, and what it is for."""

import glob
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from olist_pipeline import runtime_folder
from olist_pipeline.errors import OlistError


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(runtime_folder, "LONGEST", 2 * len(str(tmp_path)))
    return tmp_path


def mine():
    return runtime_folder.private_folder(runtime_folder.runtime_folder(os.geteuid()), os.geteuid(), os.getegid())


def test_nobody_else_can_enter_it(temporary):
    (temporary / f"olist-{os.geteuid()}").mkdir(mode=0o777)
    assert mine().stat().st_mode & 0o777 == 0o700


def test_one_that_somebody_else_has_made_is_refused(temporary):
    somebody = os.geteuid() + 54321
    (temporary / f"olist-{somebody}").mkdir()
    with pytest.raises(OlistError, match=f"must belong to the user number {somebody} alone, belongs to"):
        runtime_folder.private_folder(runtime_folder.runtime_folder(somebody), somebody, somebody)


def test_a_link_of_its_name_is_refused(temporary):
    (temporary / f"olist-{os.geteuid()}").symlink_to(temporary)
    with pytest.raises(OlistError, match="must belong to"):
        mine()


def test_it_is_elsewhere_where_the_temporary_folder_has_a_path_that_is_not_plain(monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/var/my tmp")
    assert runtime_folder.runtime_folder(1000) == Path("/tmp/olist-1000")


def test_a_path_that_would_be_a_pattern_has_another_one(temporary):
    odd, plain = temporary / "a[1]", temporary / "a 1é"
    odd.mkdir()
    (odd / "file").write_text("mine")
    link = runtime_folder.path_without_pattern(odd)
    assert (link / "file").read_text() == "mine"
    assert not glob.has_magic(str(link))
    assert runtime_folder.path_without_pattern(odd) == link
    assert runtime_folder.path_without_pattern(plain) == plain


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else tells who listens at a socket")
def test_what_killed_processes_left_in_it_goes(temporary):
    """A socket a killed run, and a link a home with a pattern in its path that is gone, stayed for ever."""
    folder, home = mine(), temporary / "a[1]"
    home.mkdir()
    link = runtime_folder.path_without_pattern(home)
    (folder / "dangling").symlink_to(temporary / "gone")
    with socket.socket(socket.AF_UNIX) as living:
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(folder / "left"))
        living.bind(str(folder / "living"))
        runtime_folder.remove_left(folder)
        assert {path.name for path in folder.iterdir()} == {link.name, "living"}
