"""Manifests of releases: read as they were written, by this version or an earlier one, or refused in a sentence."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import (
    DATABASE,
    Content,
    Reference,
    Release,
    ReleasedTable,
    read_manifest,
    write_manifest,
)

EARLIER = Path(__file__).parent / "manifests"
NAMES, SIDES = st.text(min_size=1, max_size=5), st.sampled_from(["old", "new"])
CONTENTS = st.builds(Content, st.integers(0), st.text())
TABLES = st.builds(
    ReleasedTable,
    SIDES,
    st.integers(0),
    NAMES,
    key=st.lists(NAMES).map(tuple),
    needs=st.lists(NAMES).map(tuple),
    sources=st.dictionaries(SIDES, CONTENTS),
)
REFERENCES = st.builds(Reference, NAMES, NAMES, NAMES, NAMES, st.dictionaries(SIDES, st.integers(0)))
ROUTES = st.dictionaries(NAMES, st.sampled_from(["old", "shadow", "new", "retired"]))
MOMENTS, DAYS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat), st.dates().map(date.isoformat)
RELEASES = st.builds(
    Release,
    st.integers(1),
    MOMENTS,
    st.text(),
    st.text(),
    DAYS,
    ROUTES,
    st.dictionaries(NAMES, st.text()),
    st.dictionaries(NAMES, TABLES, max_size=3),
    references=st.lists(REFERENCES, max_size=2).map(tuple),
    based_on=st.none() | st.integers(1),
    unchecked=st.lists(st.text(), max_size=2).map(tuple),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    (folder / DATABASE).touch()
    return folder


def referring(release):
    """Let the references of a release be of its own tables: of others it would be damaged."""
    if not release.tables:
        return replace(release, references=())
    names = cycle(release.tables)
    return replace(
        release, references=tuple(replace(one, child=next(names), parent=next(names)) for one in release.references)
    )


@given(RELEASES.map(referring))
def test_what_is_written_is_read(folder, release):
    write_manifest(folder, release)
    assert read_manifest(folder) == release


def earlier(folder, name):
    shutil.copyfile(EARLIER / f"{name}.json", folder / "manifest.json")
    return read_manifest(folder)


def test_one_that_an_earlier_version_wrote_is_read_and_written_again_as_it_was(folder):
    release = earlier(folder, "both_sides")
    table = release.tables["fact_orders"]
    assert (release.number, release.based_on, release.routes["sales"]) == (2, 1, "new")
    assert (table.schema, table.rows, table.context, table.key) == ("new", 3, "sales", ("order_id",))
    assert (table.sources["old"].rows, table.sources["new"].digest[:4]) == (4, "c880")
    assert release.references[0] == Reference(
        "fact_reviews", "order_id", "fact_orders", "order_id", {"old": 1, "new": 0}
    )
    write_manifest(folder, release)
    written, given = (json.loads(path.read_text()) for path in (folder / "manifest.json", EARLIER / "both_sides.json"))
    for table in given["tables"].values():
        table["is_dimension"] = False
        for content in table["sources"].values():
            content["parts"] = []
    assert written == given


def test_one_of_a_version_that_kept_one_side_can_be_shown_and_not_switched(folder):
    release = earlier(folder, "one_side")
    assert release.schemas() == {"fact_orders": "old"}
    with pytest.raises(OlistError, match="Release 1 holds one side of each table only; `olist run --force` makes"):
        release.showing({"fact_orders": "new"})


def test_what_a_later_version_says_beyond_is_left_out(folder):
    (folder / "manifest.json").write_text(
        (EARLIER / "one_side.json").read_text().replace('"number"', '"colour": "red", "number"')
    )
    assert read_manifest(folder).number == 1


def test_showing_other_sides_counts_their_rows(folder):
    release = earlier(folder, "both_sides")
    shown = release.showing(dict.fromkeys(release.tables, "old"))
    assert (shown.tables["fact_orders"].schema, shown.tables["fact_orders"].rows) == ("old", 4)
    assert release.tables["fact_orders"].rows == 3


@pytest.mark.parametrize(
    ("find", "instead", "why"),
    [
        ('"number": 2,', "", "it lacks number"),
        ('"number": 2', '"number": true', "number cannot be true"),
        ('"sales": "new"', '"sales": "blue"', 'routes.sales cannot be "blue"'),
        (
            '"rows": 3,\n          "digest"',
            '"rows": "3",\n          "digest"',
            "tables.fact_orders.sources.new.rows cann",
        ),
        ('"context": "sales",', "", "it lacks tables.fact_orders.context"),
        ('"lost": {}', '"lost": [1]', r"references.lost cannot be \[1\]"),
        ('"unchecked": []', '"unchecked": {}', "unchecked cannot be {}"),
        ('"as_of": "2018-10-17"', '"as_of": "2018-1O-17"', "Invalid isoformat string"),
        ('"child": "fact_reviews"', '"child": "nope"', "references name nope, which is no table of it"),
        ('"as_of": "2018-10-17"', '"as_of": ""', "Invalid isoformat string"),
        ('T22:54:36+00:00"', 'T22:54:36"', "made_at, .*, has no time zone"),
        ('T22:54:36+00:00"', '"', "made_at, .*, has no time zone"),
        ('T22:54:36+00:00"', 'T99"', "hour must be in"),
        ('"sources": {\n        "old"', '"sources": {\n        "replay"', 'sources cannot be "replay"'),
        ('{\n  "number"', '[{\n  "number"', "Expecting"),
    ],
)
def test_a_damaged_one_says_where(folder, find, instead, why):
    text = (EARLIER / "both_sides.json").read_text()
    assert find in text
    (folder / "manifest.json").write_text(text.replace(find, instead))
    with pytest.raises(OlistError, match=f"has no readable manifest.json .*{why}.*; `olist run --force` makes another"):
        read_manifest(folder)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"null", b"[]", b"7", b"[" * 100_000])
def test_what_is_no_manifest_is_one_sentence(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(OlistError, match=r"has no readable manifest.json"):
        read_manifest(folder)


def test_a_folder_without_one_is_one_sentence(tmp_path):
    with pytest.raises(OlistError, match=r"has no readable manifest.json"):
        read_manifest(tmp_path)
