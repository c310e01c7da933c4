"""Commands of `olist` in the folder of somebody else's project, one after the other in one process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.environment import bare
from tests.patience import patient
from tests.shared import shared_dbt

COMMANDS = """
import contextlib, io, json, os, sys
from olist_pipeline.cli.main import cli
from olist_pipeline.troubles import sentence_of

for arguments in json.load(sys.stdin):
    if arguments[0] == "export":
        os.environ.update(word.split("=", 1) for word in arguments[1:])
        continue
    out, said, code = io.StringIO(), "", 0
    with contextlib.redirect_stdout(out):
        try:
            code = int(cli.main(arguments[1:], prog_name="olist", standalone_mode=False) or 0)
        except SystemExit as error:
            code = int(error.code or 0)
        except Exception as error:
            said, code = sentence_of(error) or repr(error), 1
    print(json.dumps([" ".join(arguments), code, out.getvalue(), said]), flush=True)
"""


@dataclass(frozen=True)
class Said:
    """What a command did."""

    command: str
    code: int
    out: str
    error: str


def run(folder: Path, commands: list[list[str]], environment: dict[str, str]) -> list[Said]:
    """Run commands one after the other in one process: importing Dagster for each would take most of the time."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        input=json.dumps(commands),
        cwd=folder,
        env={**bare(), **shared_dbt(), **environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(300),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len([one for one in commands if one[0] != "export"]), done.stdout + done.stderr
    return [Said(*json.loads(line)) for line in lines]
