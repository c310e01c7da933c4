"""Variables of a dbt project on the command line."""

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.migration import init
from olist_pipeline.cli.variables import variables_of
from olist_pipeline.errors import OlistError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{start: 2020-01, limit: 40, names: [a, b]}", {"start": "2020-01", "limit": 40, "names": ["a", "b"]}),
        ('{"start": "x"}', {"start": "x"}),
        ("start: x", {"start": "x"}),
        ("", {}),
        (None, {}),
        ("# nothing", {}),
    ],
)
def test_variables_are_yaml_as_dbt_takes_them(text, expected):
    assert variables_of(text) == expected


@pytest.mark.parametrize("text", ["[1]", "{a: [", "word"])
def test_what_is_no_mapping_is_one_sentence_and_leaves_no_file(tmp_path, text):
    out = tmp_path / "migration.yml"
    error = CliRunner().invoke(init, [str(tmp_path), "--out", str(out), "--vars", text]).exception
    assert isinstance(error, OlistError)
    assert "--vars" in str(error)
    assert not out.exists()
