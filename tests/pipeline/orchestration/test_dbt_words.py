"""What dbt says of an error, in one line."""

from olist_pipeline.migration.load import present_migration
from olist_pipeline.orchestration import dbt_projects
from olist_pipeline.orchestration.dbt_projects import in_one_line

SAID = """\x1b[0m10:11:12  1 of 19 ERROR creating sql table model main.dim_date ..... [\x1b[31mERROR\x1b[0m in 0.15s]
10:11:12  \x1b[31mFailure in model dim_date (models/dim_date.sql)\x1b[0m
  Binder Error: No function matches '+(TIMESTAMP, INTEGER_LITERAL)'. You might need to add explicit type casts.
  \tCandidate functions:
  \t"+"(x TINYINT, /) -> TINYINT
  \tdate_add("left" DATE, "right" INTERVAL) -> TIMESTAMP

  LINE 23: date_trunc('week', day) + 6
"""

CALLED = """Traceback (most recent call last):
  File "main.py", line 1, in <module>
OSError: [Errno 30] Read-only file system: '/home/dbt.log'
"""


def test_calls_are_left_out_where_dbt_has_said_why_and_their_end_is_said_where_it_has_not():
    assert in_one_line(f"10:11:12  Encountered an error:\nNo such file\n{CALLED}") == "No such file"
    last = "OSError: [Errno 30] Read-only file system: '/home/dbt.log'"
    assert in_one_line(CALLED) == in_one_line(f"10:11:12  Encountered an error:\n{CALLED}") == last


def test_an_error_is_said_without_colours_and_without_all_functions_there_are():
    assert in_one_line(SAID) == (
        "Failure in model dim_date (models/dim_date.sql) Binder Error: No function matches '+(TIMESTAMP, "
        "INTEGER_LITERAL)'. You might need to add explicit type casts. LINE 23: date_trunc('week', day) + 6"
    )


def test_a_file_that_is_no_utf8_is_named_which_dbt_does_not(tmp_path):
    (tmp_path / "a.sql").write_text("select 1 -- größe", "utf-8")
    (tmp_path / "b.sql").write_text("select 1 -- größe", "latin-1")
    said = "'utf-8' codec can't decode byte 0xf6 in position 10: invalid start byte"
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "a.yml").symlink_to(tmp_path / "gone")
    assert (
        dbt_projects._what_to_do(said, tmp_path, present_migration())
        == f"; {tmp_path / 'b.sql'} is not UTF-8; save it so."
    )


def test_a_new_model_in_a_folder_of_neither_tree_is_named(tmp_path):
    said = (
        'dbt found two resources with the database representation ""warehouse"."old"."fact_payments"". dbt cannot'
        " create two resources with identical database representations. To fix this, change one of these resources:"
        " - model.olist.fact_payments (models/old/core/fact_payments.sql)"
        " - model.olist.new__fact_payments (models/{}/new__fact_payments.sql)."
    )
    assert dbt_projects._what_to_do(said.format("core"), tmp_path, present_migration()) == (
        "; models/core/new__fact_payments.sql is in neither of models/old and models/new, which have the settings:"
        " move it into one."
    )
    assert dbt_projects._what_to_do(said.format("new/core"), tmp_path, present_migration()) == "."
