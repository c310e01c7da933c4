"""What all tests of serving share."""

import os

import pytest

from tests.pipeline.serving.world import CONTEXTS, copy_of, cut_over, published, settings_of


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Only a power failure needs what waiting for the disk gives, and no test makes one."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="package")
def first_release(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("first"))
    published(settings)
    return settings


@pytest.fixture(scope="package")
def everything_cut_over(first_release, tmp_path_factory):
    settings = copy_of(first_release, tmp_path_factory.mktemp("cut_over"))
    for context in CONTEXTS:
        cut_over(settings, context)
    return settings


@pytest.fixture
def in_shadow(first_release, tmp_path):
    """Settings with a first release, every context in shadow."""
    return copy_of(first_release, tmp_path)


@pytest.fixture
def all_new(everything_cut_over, tmp_path):
    """Settings whose contexts have all been cut over, in their order."""
    return copy_of(everything_cut_over, tmp_path)
