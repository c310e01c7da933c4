"""Files: whole or not at all."""

import errno
import os
import shutil
import threading
import uuid
from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file
from olist_pipeline.files import content_hash, new_file, remedy_for, replacing, require_links, scratch_folder, tree_hash


def test_a_file_is_replaced_when_the_block_succeeds(tmp_path):
    path = tmp_path / "deep" / "file"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "file"
    (tmp_path / ".file.0123.tmp").write_text("half")
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_writers_of_one_file_leave_each_other_alone(tmp_path):
    """A run of the command line and one of the UI write the same profile, and the same intake."""
    path = tmp_path / "file"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_scratch_folder_goes_with_its_block_and_with_the_next_after_a_kill(tmp_path):
    (tmp_path / "0123").mkdir()
    (tmp_path / "0123" / "spilled").write_text("of a killed process")
    (tmp_path / "0123.lock").touch()
    with scratch_folder(tmp_path) as one, scratch_folder(tmp_path) as other:
        (one / "spilled").write_text("x")
        (other / "spilled").write_text("y")
        assert {path for path in tmp_path.iterdir() if path.is_dir()} == {one, other}
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_a_writer_has_just_made_is_no_leftover(tmp_path, monkeypatch):
    """Between making it and locking it somebody may find it unlocked: it goes to one of the two, and not from under
    the other."""
    leftover, unlink = tmp_path / ".file.0123.tmp", Path.unlink
    leftover.touch()

    def seen(path, **more):
        with pytest.raises(BlockingIOError):
            lock_file(path)
        unlink(path, **more)

    monkeypatch.setattr(Path, "unlink", seen)
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_a_process_has_just_locked_is_no_leftover(tmp_path, monkeypatch):
    lock, rmtree = tmp_path / "0123.lock", shutil.rmtree
    lock.touch()

    def seen(folder, **more):
        with pytest.raises(BlockingIOError):
            lock_file(folder.with_suffix(".lock"))
        rmtree(folder, **more)

    monkeypatch.setattr(shutil, "rmtree", seen)
    with scratch_folder(tmp_path):
        assert not lock.exists()


@pytest.mark.parametrize(("write", "locked"), [(replacing, ".file.{}.tmp"), (scratch_folder, "file/{}.lock")])
def test_who_looks_for_leftovers_is_waited_for(tmp_path, monkeypatch, write, locked):
    """Who asks whether a file is anybody's holds its lock for a moment."""
    name = uuid.uuid4()
    monkeypatch.setattr(uuid, "uuid4", lambda: name)
    path = tmp_path / locked.format(name.hex)
    path.parent.mkdir(exist_ok=True)
    held = lock_file(path)
    threading.Timer(0.05, lambda: (path.unlink(), held.close())).start()
    monkeypatch.setattr("olist_pipeline.files._remove_leftovers", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: ())
    with write(tmp_path / "file") as temporary:
        temporary.touch()


def test_content_decides_the_hash(tmp_path):
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")
    (tmp_path / "c").write_text("other")
    hashes = [content_hash(tmp_path / name) for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_tree_hash_sees_names_contents_and_only_its_suffixes(tmp_path):
    (tmp_path / "a.py").write_text("x")
    first = tree_hash(tmp_path, suffixes=(".py",))
    (tmp_path / "notes.txt").write_text("x")
    assert tree_hash(tmp_path, suffixes=(".py",)) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert tree_hash(tmp_path, suffixes=(".py",)) != first


def write_half_of_a_new(path):
    with new_file(path):
        path.write_text("half")
        raise ZeroDivisionError


def test_what_was_made_for_a_new_file_goes_with_it(tmp_path):
    path = tmp_path / "there" / "made" / "too" / "file"
    (tmp_path / "there").mkdir()
    with pytest.raises(ZeroDivisionError):
        write_half_of_a_new(path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
    with new_file(path):
        path.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_that_holds_no_links_is_refused_at_once(tmp_path, monkeypatch, number):
    def refuse(self, target):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(OlistError, match="holds no links"):
        require_links(tmp_path / "home")


def test_a_disk_that_holds_links_is_left_as_it_was(tmp_path):
    require_links(tmp_path)
    require_links(Path("/proc/nowhere"))  # where nothing can be written, another sentence says so
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_names_no_file_is_known_by_where_it_works(tmp_path, monkeypatch):
    said = 'could not create lock file "postmaster.pid": No space left on device'
    monkeypatch.setattr("olist_pipeline.files.files_left", lambda place: 0 if place == tmp_path else None)
    assert remedy_for(said, str(tmp_path)).startswith("remove files")
    assert remedy_for(said) == remedy_for(said, "/elsewhere") == "free space"
