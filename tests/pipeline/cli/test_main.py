"""The help of `olist` shows what each command says of itself, and imports none of them."""

import json
import os
import subprocess
import sys

import click
import pytest

from olist_pipeline.cli.main import COMMANDS, LazyGroup, cli, main
from olist_pipeline.errors import OlistError


def test_the_help_says_of_each_command_what_it_says_of_itself():
    context = click.Context(cli, terminal_width=100)
    shown = " ".join(cli.get_help(context).split())
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command
        assert command.callback.__doc__
        room = context.make_formatter().width - 6 - max(map(len, COMMANDS))
        assert f" {name} {command.get_short_help_str(room)}" in shown


def said(program, **variables):
    env = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True)
    return done.stdout.splitlines()


def test_the_help_imports_no_library_of_the_pipeline():
    program = (
        "import sys; from olist_pipeline.cli.main import cli; cli(['--help'], standalone_mode=False); "
        "print(sorted({'dagster', 'polars', 'duckdb', 'sqlalchemy', 'sqlglot', 'dbt'} & set(sys.modules)))"
    )
    assert said(program)[-1] == "[]"


def test_the_shell_completes_commands_without_importing_them():
    program = (
        "import sys; from olist_pipeline.cli.main import cli; import click; "
        "print([item.value for item in cli.shell_complete(click.Context(cli), 're')]); "
        "print(sorted({'dagster', 'polars', 'duckdb', 'sqlalchemy', 'sqlglot', 'dbt'} & set(sys.modules)))"
    )
    assert said(program) == ["['retire', 'releases', 'release']", "[]"]


ENGINES = {"dagster", "polars", "numpy", "narwhals", "sqlalchemy", "sqlglot", "dbt", "jinja2", "marimo", "altair"}
"""Each of these takes longer to import than the help of a command takes, or what is stored takes to show."""


def test_no_command_imports_an_engine_before_it_works():
    """Its help, and what it refuses of its arguments, would take as long as that. `COMMANDS` come in their order."""
    program = (
        "import sys; from olist_pipeline.cli.main import COMMANDS, cli; "
        f"print([name for name in COMMANDS if cli.get_command(None, name) and {ENGINES} & set(sys.modules)])"
    )
    assert said(program) == ["[]"]


READING = (
    ["rules", "--json"],
    ["parity", "approvals"],
    ["quarantine"],
    ["events"],
    ["releases"],
    ["db", "status"],
)


def test_commands_that_show_what_is_stored_import_no_engine(settings):
    program = (
        "import sys, contextlib, io; from olist_pipeline.cli.main import OlistError, cli\n"
        f"for args in {READING}:\n"
        "    with contextlib.suppress(SystemExit, OlistError), contextlib.redirect_stdout(io.StringIO()) as shown:\n"
        "        cli.main(args, standalone_mode=False)\n"
        f"    print(args[0], bool(shown.getvalue()), sorted({ENGINES} & set(sys.modules)))"
    )
    assert said(program, **settings.variables()) == [f"{args[0]} True []" for args in READING]


def test_a_migration_is_checked_without_dagster_or_frames():
    program = (
        "import sys, olist_pipeline.orchestration.migration_check; "
        "print(sorted({'dagster', 'dagster_dbt', 'dbt', 'sqlalchemy', 'polars'} & set(sys.modules)))"
    )
    assert said(program) == ["[]"]


def test_variables_that_are_no_names_with_values_are_refused(tmp_path):
    arguments = ["migration", "init", str(tmp_path), "--out", str(tmp_path / "m.yml"), "--vars", "[1]"]
    with pytest.raises(OlistError, match="--vars must be a mapping of names to values"):
        cli(arguments, standalone_mode=False)


@pytest.mark.parametrize(("typed", "meant"), [(["statsu"], "status"), (["db", "migrat"], "migrate")])
def test_the_nearest_command_is_named(typed, meant):
    with pytest.raises(click.UsageError, match=f"No such command .*; did you mean {meant}"):
        cli(typed, standalone_mode=False)


@pytest.mark.parametrize("arguments", [["audit", ""], ["dashboards", "--host="]])
def test_an_empty_argument_is_refused(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["olist", *arguments])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "An argument is empty" in capsys.readouterr().err


def test_the_environment_is_one_that_libraries_bear(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "0")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setattr("sys.argv", ["olist", "db", "roles"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "Give either --sql or --apply" in capsys.readouterr().err
    assert "COLUMNS" not in os.environ, "or tables would have no width"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1", "or a limit of processes would be Ctrl+C"


@pytest.mark.parametrize("width", [40, 60, 80])
def test_help_is_as_narrow_as_the_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    for command in (cli, cli.get_command(click.Context(cli), "dashboards")):
        assert command
        lines = command.get_help(click.Context(command, info_name="olist")).splitlines()
        assert max(map(len, lines)) <= width
        assert [line for line in lines if len(line.split()) > 3], "there is room for words"


def test_no_colour_where_none_is_wanted(monkeypatch, capsys):
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda stream, color: color is False)
    monkeypatch.setattr("sys.argv", ["olist", "rules", "--code", "ORDER_WITHOUT_ITEMS"])
    shown = []
    for wanted in ("", "1"):
        monkeypatch.setenv("NO_COLOR", wanted)
        with pytest.raises(SystemExit, match="0"):
            main()
        shown.append("\x1b[" in capsys.readouterr().out)
    assert shown == [True, False]


def main_that(program):
    """Return a command that runs `main`, whose command line does what a program says."""
    return [
        sys.executable,
        "-c",
        f"import sys, click; from olist_pipeline.cli.main import cli, main; sys.argv[1:] = ['rules']\n"
        f"def does(**_):\n    {program}\n"
        f"cli.main = does; main()",
    ]


@pytest.mark.parametrize(("end", "code"), [("return 0", 0), ("raise SystemExit(3)", 3)])
def test_a_reader_that_goes_away_changes_no_exit_code(end, code):
    """What a command does it does to its end, and `set -o pipefail` sees what it says of that."""
    command = main_that(f"click.echo('x' * 100_000); click.echo('x', err=True); {end}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        running.stderr.close()
        assert running.wait() == code


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("> /dev/full", "olist: No space left on device (standard output); free space and run again.\n"),
        ("1< /dev/null", "olist: Bad file descriptor (standard output).\n"),
        ("> /dev/full 2> /dev/full", ""),
    ],
)
def test_what_cannot_be_written_is_a_failure(output, said):
    command = f"{sys.executable} -m olist_pipeline --version {output}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, said)


def test_a_command_that_cannot_say_something_beside_its_output_has_done_its_work():
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        assert subprocess.run(main_that("click.echo('x', err=True)"), stderr=full, check=False).returncode == 0


def test_json_is_json_in_any_encoding(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    command = main_that("from olist_pipeline.cli.output import print_json; print_json(['S\\xe3o \\U0001f69a'])")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["S\xe3o \U0001f69a"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_matter(closed, tmp_path):
    (tmp_path / "one.sql").write_text("select 1 as one")
    command = f"{sys.executable} -m olist_pipeline audit {tmp_path} {closed}"
    assert subprocess.run(command, shell=True, capture_output=True, check=False).returncode == 0


def test_an_argument_that_is_no_text_is_refused():
    command = [sys.executable.encode(), b"-m", b"olist_pipeline", b"events", b"--id", b"S\xe3o"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr.decode()
        == "olist: The argument 'S\\udce3o' is no text in UTF-8; write it so, or name a file otherwise.\n"
    )


def test_the_migration_is_named_before_a_command_is_imported(tmp_path, monkeypatch):
    """Its module imports the contexts that the file names."""
    seen = []

    def get_command(group, ctx, name):
        seen.append(os.environ.get("OLIST_MIGRATION"))
        return click.Command(name, callback=lambda: None)

    monkeypatch.setenv("OLIST_MIGRATION", "another")
    monkeypatch.setenv("PGAPPNAME", "pytest")
    monkeypatch.setattr(LazyGroup, "get_command", get_command)
    cli.main(["--migration", str(tmp_path / "m.yml"), "run"], standalone_mode=False)
    assert set(seen) == {str(tmp_path / "m.yml")}


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PYTHONOPTIMIZE", "2", "PYTHONOPTIMIZE is 2 or more"),
        ("PYTHONWARNINGS", "error", "PYTHONWARNINGS lets each warning of a library end the program; unset it."),
    ],
)
def test_a_python_that_leaves_out_docstrings_or_ends_at_warnings_is_refused(variable, value, words):
    command = [sys.executable, "-m", "olist_pipeline", "rules"]
    done = subprocess.run(command, env={**os.environ, variable: value}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip().partition(", by")[0]) == (1, f"olist: {words}")
