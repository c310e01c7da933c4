"""Every mutant ends in one sentence, or all its rows are accounted for and the trees agree (see `make fuzz`).

Most examples go only as far as the readers, which is cheap; the others go the whole way.
"""

import re
from functools import partial

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of, readable_landing
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from tests.fuzz.mutants import Sheet, mutants, valid_files
from tests.fuzz.trees import Trees, load_trees
from tests.fuzz.way import place, readers_agree, sentence, whole_way

lenient = partial(
    settings, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate, Phase.shrink]
)


@pytest.fixture(scope="module")
def trees(compiled_project) -> Trees:
    return load_trees(compiled_project)


@lenient(max_examples=120)
@given(mutant=mutants())
def test_the_readers_agree_or_say_why_not(tmp_path_factory, mutant):
    files, _ = mutant
    landing = place(files, tmp_path_factory.getbasetemp() / "read")
    changed = [table for table in LANDING.values() if files.get(table.file) != valid_files()[table.file]]
    with duckdb.connect() as connection:
        for table in changed:
            try:
                folder = readable_landing(Settings(landing.parent / "home", landing, None), [table])
                read_text(path_of(folder, table), table)
            except OlistError as error:
                sentence(str(error))
                continue
            readers_agree(connection, folder, table)


NUMBERS = (f"{2**63 - 1}", "nan", "-inf", "1e300", "1e10", "9" * 30, f"{-(2**63)}")
MOMENTS = (
    "infinity",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "294246-12-31 00:00:00",
    "2018-01-01 24:00:00",
    "epoch",
)


@pytest.mark.long
@lenient(max_examples=6)
@given(mutant=mutants())
def test_the_whole_way(tmp_path_factory, server, trees, mutant):
    files, _ = mutant
    folder = tmp_path_factory.getbasetemp()
    whole_way(Settings(folder / "way", place(files, folder / "landing"), server), trees)


@pytest.mark.long
def test_numbers_that_no_sum_bears_and_moments_of_no_calendar_end_no_tree(tmp_path, server, trees):
    """Records of each file have one of them in all their numbers, or moments."""
    files = dict(valid_files())
    odd = [(r"^-?\d+(\.\d+)?$", text) for text in NUMBERS] + [(r"^\d{4}-\d\d-\d\d .*$", text) for text in MOMENTS]
    for name, content in files.items():
        sheet = Sheet.of(content)
        assert sheet
        lines = list(sheet.lines)
        for number, (form, text) in enumerate(odd[: len(lines) - 2], start=1):
            lines[number] = [re.sub(form, text, cell) for cell in lines[number]]
        files[name] = Sheet(lines).written()
    outcome = whole_way(Settings(tmp_path / "home", place(files, tmp_path / "landing"), server), trees)
    assert outcome.verdicts["dim_geography"] == "explained"
