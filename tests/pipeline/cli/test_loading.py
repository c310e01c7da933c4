"""What a command loads once."""

import gc

import pytest

from olist_pipeline.cli import loading


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("is_never_freed", [True, False])
def test_what_was_loaded_is_not_looked_through_again_where_it_is_never_freed(monkeypatch, is_never_freed):
    monkeypatch.setattr(loading, "is_never_freed", is_never_freed)
    with loading.loading():
        assert not gc.isenabled()
        kept: list[list[object]] = [[]]
        kept[0].append(kept)
    assert gc.isenabled()
    assert any(one is kept for one in gc.get_objects()) != is_never_freed, "nothing that is frozen is listed"


def test_garbage_is_collected_again_after_an_error():
    with pytest.raises(ImportError), loading.loading():
        raise ImportError
    assert gc.isenabled()
