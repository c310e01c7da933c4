"""Roles on the tests' server, and statements that run as one of them."""

import subprocess
from contextlib import closing

import psycopg2

from olist_pipeline.stores import cluster
from tests.patience import patient

PROGRAMS = cluster.programs()
"""psql, pg_dump and pg_restore of the embedded server's version."""

RUNTIME, ANALYST = "test_runtime", "test-analyst"


def psql(url, statements):
    return subprocess.run(
        [PROGRAMS / "psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", url],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(60),
    )


def as_role(url, role):
    """Return the address for another role, whose password is its name."""
    _, _, rest = url.partition("@")
    return f"postgresql://{role}:{role}@{rest}"


def alone(url, statement):
    """Run a statement in no transaction, without anything of the program's."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
