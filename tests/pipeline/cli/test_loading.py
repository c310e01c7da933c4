"""What a command loads once."""

import gc

import pytest

from olist_pipeline.cli.loading import loading


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_what_was_loaded_is_never_looked_through_again():
    with loading():
        assert not gc.isenabled()
        kept: list[list[object]] = [[]]
        kept[0].append(kept)
    assert gc.isenabled()
    assert not any(one is kept for one in gc.get_objects()), "nothing that is frozen is listed"


def test_garbage_is_collected_again_after_an_error():
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
