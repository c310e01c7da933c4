"""What dbt says of an error, in one line."""

from olist_pipeline.orchestration.dbt_projects import in_one_line

SAID = """\x1b[0m10:11:12  1 of 19 ERROR creating sql table model main.dim_date ..... [\x1b[31mERROR\x1b[0m in 0.15s]
10:11:12  \x1b[31mFailure in model dim_date (models/dim_date.sql)\x1b[0m
  Binder Error: No function matches '+(TIMESTAMP, INTEGER_LITERAL)'. You might need to add explicit type casts.
  \tCandidate functions:
  \t"+"(x TINYINT, /) -> TINYINT
  \tdate_add("left" DATE, "right" INTERVAL) -> TIMESTAMP

  LINE 23: date_trunc('week', day) + 6
"""


def test_an_error_is_said_without_colours_and_without_all_functions_there_are():
    assert in_one_line(SAID) == (
        "Failure in model dim_date (models/dim_date.sql) Binder Error: No function matches '+(TIMESTAMP, "
        "INTEGER_LITERAL)'. You might need to add explicit type casts. LINE 23: date_trunc('week', day) + 6"
    )
