"""`python -m olist_pipeline`: the command line, where the script `olist` cannot be started."""

from olist_pipeline.cli.program import program

program()
