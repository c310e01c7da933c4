"""The root command and what all commands share: errors and exit codes.

What belongs here: the command group, and how errors become one sentence and an exit code. What does not: any
particular command.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from olist_pipeline.cli import interrupts, streams
from olist_pipeline.cli.groups import Group
from olist_pipeline.cli.visible import visible
from olist_pipeline.errors import OlistError
from olist_pipeline.files import keep_private
from olist_pipeline.troubles import sentence_of

COMMANDS = {
    "run": "run:run",
    "backfill": "backfill:backfill",
    "dev": "servers:dev",
    "dashboards": "servers:dashboards",
    "status": "status:status",
    "criteria": "criteria:criteria",
    "rules": "rules:rules",
    "parity": "parity:parity",
    "quarantine": "reports:quarantine",
    "events": "reports:events",
    "cutover": "cutover:cutover",
    "rollback": "cutover:rollback",
    "acknowledge": "cutover:acknowledge",
    "retire": "cutover:retire",
    "releases": "releases:releases",
    "release": "releases:release",
    "audit": "audit:audit",
    "migration": "migration:migration",
    "scaffold": "scaffold:scaffold",
    "data": "data:data",
    "db": "db:db",
}
"""Each command with its module and function: importing all of them would take longer than a rollback."""


LEAST_SAID = 45
"""So many letters of what a command does are shown, on two lines where the terminal is narrow."""

EMPTY_OPTION = re.compile("--[a-z-]+=")


class LazyGroup(Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"olist_pipeline.cli.{module}"), function)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, read like their help, and what click completes of its own."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        helps = [click.Command(name, help=_docstring(name)).get_short_help_str() for name in names]
        found = [CompletionItem(name, help=text) for name, text in zip(names, helps, strict=True)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the beginning of its docstring, which is read without importing the command."""
        room = max(formatter.width - 6 - max(map(len, COMMANDS)), LEAST_SAID)
        with formatter.section("Commands"):
            said = (click.Command(name, help=_docstring(name)).get_short_help_str(room) for name in COMMANDS)
            formatter.write_dl(list(zip(COMMANDS, said, strict=True)))


def _docstring(command: str) -> str:
    module, _, function = COMMANDS[command].partition(":")
    tree = ast.parse(Path(__file__).with_name(f"{module}.py").read_text("utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    return ast.get_docstring(found) or ""


def _show_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        from olist_pipeline.version import describe

        click.echo(f"olist {describe()}")
        ctx.exit()


def _take_migration(ctx: click.Context, _: click.Parameter, migration: Path | None) -> None:
    """Name the migration file while options are read: the module of a command comes next, and imports its contexts."""
    if migration and not ctx.resilient_parsing:
        os.environ["OLIST_MIGRATION"] = str(migration.absolute())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it, and end."
)
@click.option(
    "--migration",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_take_migration,
    help="The migration file; the same as OLIST_MIGRATION.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Move a dbt-only warehouse to Python validation + dbt, one bounded context at a time."""
    ctx.color = None if _has_colours() else False
    # PostgreSQL shows who is connected; what a command starts has its name too.
    os.environ["PGAPPNAME"] = f"olist {ctx.invoked_subcommand}"


def _has_colours() -> bool:
    """Return whether colours are wanted (no-color.org): what rich prints goes by it of itself, what click does not."""
    return not os.environ.get("NO_COLOR")


def _check_text(arguments: Sequence[str]) -> None:
    """Raise OlistError for an argument that is empty, or that no store could keep and no report show."""
    for text in arguments:
        if not text or EMPTY_OPTION.fullmatch(text):
            raise OlistError(
                "An argument is empty: a variable of your shell may not be set; give a value or leave it out."
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise OlistError(
                f"The argument {text!r} is no text in UTF-8; write it so, or name a file otherwise."
            ) from None


def _check_python() -> None:
    """Raise OlistError where Python ends at warnings, or leaves out docstrings, by which rules state themselves."""
    if any(option.startswith("error") for option in sys.warnoptions):
        raise OlistError("PYTHONWARNINGS lets each warning of a library end the program; unset it.")
    if sys.flags.optimize > 1:
        raise OlistError("PYTHONOPTIMIZE is 2 or more, by which Python leaves out what rules say; set it to 1 or less.")


def main() -> None:
    """Run the command line; an error that a person can mend is one sentence and exit code 1."""
    keep_private()
    if os.environ.get("COLUMNS", "").strip("0") == "":
        os.environ.pop("COLUMNS", None)  # some say 0 where they do not know: nothing would be shown
    # Nobody multiplies matrices here. Where a limit keeps it from its threads, OpenBLAS raises SIGINT: as after Ctrl+C.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    streams.make_patient()
    sentence, code = "", 1
    try:
        with interrupts.noticed():
            _check_text(sys.argv[1:])
            _check_python()
            code = int(cli.main(prog_name="olist", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SystemExit as error:
        code = int(error.code or 0)
    except click.Abort:
        sentence = "Aborted."
    except BaseException as error:  # what Polars panics with is no Exception
        sentence = sentence_of(error) or ""
        if not sentence and not interrupts.received():
            raise
    if number := interrupts.received():
        sentence, code = interrupts.sentence(number), 128 + number
    if unwritten := streams.flush_output():
        sentence, code = sentence or unwritten, code or 1
    if sentence:
        click.secho(f"olist: {visible(sentence)}", fg="red", err=True, color=None if _has_colours() else False)
    sys.exit(code)
