"""What all tests of serving share."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Only a power failure needs what waiting for the disk gives, and no test makes one."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
