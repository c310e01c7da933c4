"""Provenance: a release is of what was read for it, whatever lies there when it is published."""

import gzip
from dataclasses import replace

import pytest

from olist_pipeline.migration import code
from olist_pipeline.migration.code import python_hash
from olist_pipeline.migration.load import load_migration
from olist_pipeline.provenance import OTHERS, old_begins, old_was_made_of, present_inputs, released_inputs
from olist_pipeline.steps import run_intake
from tests.pipeline.intake.test_bad_input import edit
from tests.pipeline.test_steps import SALES, TODAY

FILE = "olist_orders_dataset.csv"


def ingest(settings):
    for table in SALES.landing:
        run_intake(settings, settings.postgres_url, table, TODAY, "r1")


def read_by_both(settings):
    inputs = old_begins(settings)
    ingest(settings)
    old_was_made_of(settings, inputs)


def released(settings, *, has_old=True):
    """Return what is said of the files that are there."""
    found = released_inputs(settings, has_old=has_old)
    return {name: found[name] for name in present_inputs(settings)}


def test_a_file_that_is_replaced_in_the_middle_of_a_run_is_new_to_the_next(settings, landing):
    read_by_both(settings)
    before = present_inputs(settings)
    assert released(settings) == released(settings, has_old=False) == before
    edit(landing, FILE, b",delivered,", b",shipped,")
    assert released(settings) == released(settings, has_old=False) == before != present_inputs(settings)


def test_a_release_whose_sides_read_other_files_is_of_neither(settings, landing):
    read_by_both(settings)
    edit(landing, FILE, b",delivered,", b",shipped,")
    ingest(settings)
    assert released(settings)["orders"] == OTHERS
    assert released(settings)["order_items"] == present_inputs(settings)["order_items"]
    # Old builds some of its tables of the new file; the others are still of the former one.
    old_begins(settings)
    edit(landing, FILE, b",shipped,", b",delivered,")
    ingest(settings)
    assert released(settings)["orders"] == OTHERS
    read_by_both(settings)
    assert released(settings) == present_inputs(settings)


def test_nothing_is_kept_of_what_old_read_while_it_was_replaced(settings, landing):
    read_by_both(settings)
    assert released(settings) == present_inputs(settings)
    content = (landing / FILE).read_bytes()
    inputs = old_begins(settings)
    (landing / FILE).write_bytes(content + b"\n")
    old_was_made_of(settings, inputs)
    (landing / FILE).write_bytes(content)
    assert set(released(settings).values()) == {OTHERS}


@pytest.mark.parametrize("name", ["rates.csv", "rates.csv.gz", "rates/first.csv"])
def test_a_file_that_nobody_validates_counts_however_it_landed(settings, landing, tmp_path, name):
    path = tmp_path / "migration.yml"
    path.write_text(
        "version: 1\ncontexts: ours\nold: {project: a}\nnew: {project: b}\n"
        "landing: {variable: x, files: {rates.csv: {}}}\n"
    )
    settings, file = replace(settings, migration=path), landing / name
    assert "rates.csv" not in present_inputs(settings)
    file.parent.mkdir(exist_ok=True)
    found = []
    for text in (b"day,rate\n1,2\n", b"day,rate\n1,3\n"):
        file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        found.append(present_inputs(settings)["rates.csv"])
    assert found[0] != found[1]


@pytest.fixture
def contexts(tmp_path):
    """A migration file with contexts beside it."""
    path = tmp_path / "migration.yml"
    path.write_text("version: 1\ncontexts: ours\nold: {project: a}\nnew: {project: b}\nlanding: {variable: x}\n")
    (tmp_path / "ours.py").write_text("CONTEXTS = ()\n")
    code._hash.cache_clear()  # as another process finds it
    return path


def test_code_is_that_of_the_contexts_too(contexts):
    before = python_hash(load_migration(contexts))
    assert python_hash(load_migration(contexts)) == before != python_hash()
    (contexts.parent / "ours.py").write_text("CONTEXTS = (1,)\n")
    assert python_hash(load_migration(contexts)) == before, "a process runs what it has read"
    code._hash.cache_clear()
    assert python_hash(load_migration(contexts)) != before


def test_the_libraries_that_rows_are_read_with_are_code(monkeypatch):
    assert code.own_python_hash.__wrapped__() == code.own_python_hash()
    monkeypatch.setattr(code, "version", lambda library: f"another {library}")
    assert code.own_python_hash.__wrapped__() != code.own_python_hash()


def test_code_of_an_installed_package_of_contexts_counts(contexts, tmp_path, monkeypatch):
    package = tmp_path / "lib" / "ours" / "deep"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("CONTEXTS = ()\n")
    (package / "rules.py").write_text("")
    (tmp_path / "ours.py").unlink()
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    before = python_hash(load_migration(contexts))
    (package / "rules.py").write_text("LIMIT = 1\n")
    code._hash.cache_clear()
    assert python_hash(load_migration(contexts)) != before
