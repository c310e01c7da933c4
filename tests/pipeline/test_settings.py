"""Settings: a value that cannot be meant is refused before anything is made by it."""

from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings, migration_file


@pytest.mark.parametrize("value", [" ", "\n", '"{}"', "'{}'", " {}", "{} ", "{}\r", "{}\n"])
@pytest.mark.parametrize("name", ["OLIST_HOME", "OLIST_DATA_DIR", "OLIST_POSTGRES_URL", "OLIST_MEMORY"])
def test_a_value_in_blanks_or_quotes_is_refused_and_not_shown(tmp_path, name, value):
    with pytest.raises(OlistError, match=f"^{name} begins with a blank") as refused:
        Settings.from_env({name: value.format(tmp_path)})
    assert str(tmp_path) not in str(refused.value)


def test_a_value_that_is_empty_is_as_one_that_is_not_set(tmp_path):
    bare = {"OLIST_HOME": str(tmp_path)}
    empty = dict.fromkeys(("OLIST_DATA_DIR", "OLIST_POSTGRES_URL", "OLIST_MEMORY", "OLIST_AUTOMATION"), "")
    assert Settings.from_env(bare) == Settings.from_env(bare | empty)


def test_the_home_of_another_user_is_named_and_no_file_in_it(tmp_path, monkeypatch):
    """Who may not enter it cannot say whether it has a migration file."""

    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", closed)
    with pytest.raises(OlistError, match=f"^The home {tmp_path} is closed to .*: run the command as its owner"):
        migration_file({"OLIST_HOME": str(tmp_path)})
