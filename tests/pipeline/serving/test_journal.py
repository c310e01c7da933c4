"""The journal when it is damaged or lost: PostgreSQL has what it said, and it is written anew from there."""

import shutil

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from olist_pipeline.serving import journal, switch
from olist_pipeline.serving.cutover import cutover, rehearse
from olist_pipeline.serving.journal import (
    JOURNAL,
    JournalDamaged,
    append,
    bring_to_database,
    done_acts,
    present_state,
)
from olist_pipeline.serving.rollback import acknowledge, rollback
from olist_pipeline.stores.routes import Act, Change
from tests.pipeline.serving.world import copy_of


@pytest.fixture(scope="module")
def acted(first_release, tmp_path_factory):
    """Settings of a home in which sales went to new, back to old, blocked, and to shadow."""
    settings = copy_of(first_release, tmp_path_factory.mktemp("acted"))
    cutover(settings, "sales", lambda _: [], by="me", reason="ready")
    rollback(settings, "sales", by="guard", reason="red", blocks=True)
    rehearse(settings, "sales", by="me", reason="again")
    return settings


@pytest.fixture
def switched(acted, tmp_path, database):
    """A copy of that home, of which PostgreSQL knows."""
    settings = copy_of(acted, tmp_path)
    bring_to_database(settings.serving, database)
    return settings


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip(path):
    text = bytearray(path.read_bytes())
    text[40] ^= 0xFF
    path.write_bytes(bytes(text))


def folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "truncated": truncate,
    "a flipped byte": flip,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "another encoding": lambda path: path.write_bytes("é".encode("latin-1") + b"}\n" + path.read_bytes()),
    "not ours": lambda path: path.write_text('[1, 2]\n{"act": {}}\n'),
    "deleted": lambda path: path.unlink(),
    "empty": lambda path: path.write_text(""),
    "deeper than anything": lambda path: path.write_text("[" * 100_000),
    "a folder": folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_written_anew(switched, database, damage):
    serving = switched.serving
    acts, state = done_acts(serving), present_state(serving)
    DAMAGES[damage](serving / JOURNAL)
    bring_to_database(serving, database)
    assert [act.act_id for act in done_acts(serving)] == [act.act_id for act in acts]
    assert [(act.action, act.changes, act.blocks) for act in done_acts(serving)] == [
        (act.action, act.changes, act.blocks) for act in acts
    ]
    assert present_state(serving) == state


def test_what_postgresql_has_not_got_yet_is_kept(switched, database):
    later = rollback(switched, "sales", by="me", reason="PostgreSQL was down").act
    flip(switched.serving / JOURNAL)
    bring_to_database(switched.serving, database)
    assert done_acts(switched.serving)[-1].act_id == later.act_id
    assert present_state(switched.serving).routes["sales"] == "old"


def test_what_postgresql_has_not_got_yet_is_kept_by_whoever_was_killed_while_he_mended(switched, database, monkeypatch):
    """The damaged file alone has it: it stays until another one has taken its place."""
    later = rollback(switched, "sales", by="me", reason="PostgreSQL was down").act
    flip(switched.serving / JOURNAL)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "replacing", crash)
        with pytest.raises(ZeroDivisionError):
            bring_to_database(switched.serving, database)
    bring_to_database(switched.serving, database)
    assert done_acts(switched.serving)[-1].act_id == later.act_id
    assert len(list(switched.serving.glob(f"{JOURNAL}.damaged-*"))) == 2


def test_nothing_is_decided_on_a_damaged_journal(switched):
    flip(switched.serving / JOURNAL)
    with pytest.raises(JournalDamaged, match=r"journal\.jsonl is damaged \(line 1\); `olist status` mends it"):
        rollback(switched, "sales", by="me", reason="now")


def entry(reason="again }}} {"):
    changes = (Change("sales", "old", "shadow"),)
    return Act("1", "shadow", changes, "2018-10-17", "me", reason, overridden=("é }",))


@pytest.fixture
def written(tmp_path):
    """A journal of one act, as a function that writes the beginning of another behind it and reads it all."""
    append(tmp_path, entry())
    whole = (tmp_path / JOURNAL).read_bytes()

    def read(more):
        (tmp_path / JOURNAL).write_bytes(whole + more)
        return done_acts(tmp_path)

    return read, whole.removesuffix(b"\n")


def test_no_part_of_an_entry_that_a_killed_writer_left_is_damage(written):
    """Whatever its texts hold, braces too, and also where the cut is within a letter."""
    read, line = written
    for length in range(len(line)):
        assert read(line[:length]) == read(b"")
        assert read(line[:length] + b"\n" + line) == read(line)


@pytest.mark.parametrize(
    "more", [b"}", b'{"act" 1', b'{"act": {}}', b"[1", b'{"act": x', b"\0" * 9, b'{"settled": "2", "done": true}']
)
def test_what_no_writer_wrote_is_damage(written, more):
    read, _ = written
    with pytest.raises(JournalDamaged):
        read(more)


def test_what_a_later_version_says_beyond_is_left_out(written):
    read, line = written
    later = line.replace(b'"1"', b'"2"').replace(b'"reason"', b'"colour": "red", "reason"', 1)
    later = later.replace(b'"former"', b'"side": 1, "former"')
    assert [act.act_id for act in read(b"\n" + later)] == ["1", "2"]


def test_an_entry_that_lost_the_end_of_a_text_is_damage_once_it_was_settled(written):
    read, line = written
    settled = b'\n{"settled": "1", "done": true}\n'
    read(settled)
    with pytest.raises(JournalDamaged, match="an act that was settled is not there"):
        read(b"\n" + line.replace(b'"1"', b'"2"').replace(b'"blocks"', b'"blocks') + settled.replace(b'"1"', b'"2"'))


@examples(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=1, max_value=400))
def test_a_line_that_a_killed_writer_left_is_no_damage(tmp_path, switched, database, length):
    """Whatever part of its last line a kill leaves, the acts before it stand, and PostgreSQL brings back the last."""
    serving = tmp_path / "copy"
    shutil.rmtree(serving, ignore_errors=True)
    shutil.copytree(switched.serving, serving, symlinks=True)
    path = serving / JOURNAL
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    path.write_bytes(whole[: len(whole) - len(last) - 1] + last[: min(length, len(last) - 1)])
    assert len(done_acts(serving)) == 2
    journal.bring_to_database(serving, database)
    assert len(done_acts(serving)) == 3


def test_an_act_that_a_crash_cut_off_is_not_taken_for_done(switched, database, monkeypatch):
    """It was written down before its effect, and nothing came after it."""
    serving = switched.serving
    acknowledge(switched, "sales", by="me", reason="mended")
    before = present_state(serving)
    with monkeypatch.context() as patch:
        patch.setattr(switch, "point_to", crash)
        with pytest.raises(ZeroDivisionError):
            cutover(switched, "sales", lambda _: [], by="me", reason="again")
    flip(serving / JOURNAL)
    bring_to_database(serving, database)
    assert present_state(serving) == before


def crash(*_):
    raise ZeroDivisionError
