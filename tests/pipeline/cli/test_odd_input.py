"""Whatever somebody types, the answer is a sentence and an exit code, and never a traceback."""

import contextlib
import io
import sys
from collections.abc import Iterator

import click
import pytest

from olist_pipeline.cli.main import COMMANDS, cli, main

ODD = (
    "",
    "x" * 10_000,
    "ключ-é-🙂",
    "-1",
    "9" * 30,
    "nan",
    "\x1b[31m\n\t",
    "'; drop table x",
    "%s{}",
    "[*]?",
    "2018-13",
    "\udcff",
)
LONG_WORK = {"run", "dev", "dashboards", "audit", "migration", "scaffold", "data", "criteria", "status", "migrate"}
"""They work on files and projects, which are odd in tests of their own, or take no odd value."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None and not {*path, name} & LONG_WORK:
            yield (*path, name), command


def attempts(command: click.Command) -> Iterator[list[str]]:
    """Yield arguments: none, one thing too many, flags twice, and an odd value for each parameter in turn."""
    given = {"context": "sales", "number": "1", "table": "fact_orders", "approval": "1"}
    words = [given[str(one.name)] for one in command.params if isinstance(one, click.Argument) and one.required]
    yield from ([], [*words, "one", "too", "many"], [*words, "--no-such"], [*words, "--json", "--json"])
    for number, parameter in enumerate(command.params):
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        for odd in ODD[number % 4 :: 4]:
            if isinstance(parameter, click.Option):
                yield [*words, f"{parameter.opts[-1]}={odd}"]
            else:
                yield ["--", odd]


def said_of(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[object, str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace") for _ in range(2))
    monkeypatch.setattr(sys, "argv", ["olist", *arguments])
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    err.flush()
    return code, err.buffer.getvalue().decode()


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in LONG_WORK])
def test_odd_input_is_answered(name, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.setenv("OLIST_DATA_DIR", str(settings.landing))
    monkeypatch.setenv("OLIST_POSTGRES_URL", settings.postgres_url)
    monkeypatch.chdir(tmp_path)
    for path, command in commands(cli):
        if path[0] != name:
            continue
        for arguments in attempts(command):
            code, said = said_of([*path, *arguments], monkeypatch)
            assert code in (0, 1, 2), arguments
            assert "Traceback" not in said, arguments
