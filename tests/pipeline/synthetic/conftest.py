"""Synthetic sets that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from olist_pipeline.synthetic import generate

from .synthetic_sets import Tables, read


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 20,000 orders."""
    out = tmp_path_factory.mktemp("synthetic")
    generate(out, orders=20_000, seed=11)
    return out


@pytest.fixture(scope="session")
def tables(folder: Path) -> Tables:
    """The tables of a set of 20,000 orders."""
    return read(folder)
