"""A fork server of dbt: one process imports dbt once, and each invocation of a run is forked from it.

What belongs here: starting dbt cheaply. What does not: what it is started for, and any part of dbt itself.

Most of what an invocation of dbt costs beside its models is its start: imports, and classes that write their own code.
`fork_server` starts and ends the process, `serve` is its program, and `ask` is the program that stands in the place of
dbt: it hands its arguments, environment, folder and open files to the server, and ends as the forked dbt does. Each
invocation is a process of its own as ever, which reads the project anew; where there is no server, `ask` becomes dbt.
"""

from olist_pipeline.orchestration.forked_dbt.fork_server import ASKING, ForkServer, ensure_server, has_server

__all__ = ["ASKING", "ForkServer", "ensure_server", "has_server"]
