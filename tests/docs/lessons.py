"""Following a lesson: its files are written and its commands are run, in the order of the page.

What belongs here: how a page becomes steps, and how a step is run. What does not: what a lesson must have done.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from olist_pipeline.cli.main import cli
from tests.patience import patient

BLOCK = re.compile(r"(?:^`(?P<name>[\w./]+)`\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"\s+# exit code (\d+)$")
PROGRAMS = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest", "-n", "0"]}


class Lesson:
    """A page, followed in a folder. `said` has what its commands printed."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.said: list[str] = []
        self._behind: list[subprocess.Popen] = []

    def follow(self) -> None:
        """Do what the page says, from its beginning to its end."""
        try:
            for block in BLOCK.finditer(self.page.read_text("utf-8")):
                if block["name"]:
                    path = self.folder / block["name"]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(block["text"], "utf-8")
                elif block["language"] == "sh":
                    for line in block["text"].splitlines():
                        self._run(line)
            assert not self._behind, "a program that is started must be waited for"
        finally:
            for process in self._behind:
                process.kill()

    def _run(self, line: str) -> None:
        expected = EXPECTED.search(line)
        command = EXPECTED.sub("", line)
        [program, *arguments] = shlex.split(command)
        if program == "wait":
            while self._behind:
                assert self._behind.pop().wait(timeout=patient(60)) == 0
            return
        if arguments[-1:] == ["&"]:
            words = [*PROGRAMS[program], *arguments[:-1]]
            self._behind.append(subprocess.Popen(words, cwd=self.folder, env=dict(os.environ)))
            return
        target = arguments[arguments.index(">") + 1] if ">" in arguments else None
        arguments = arguments[: arguments.index(">")] if target else arguments
        code, text = self._olist(arguments) if program == "olist" else self._other(program, arguments)
        assert code == (int(expected[1]) if expected else 0), f"{self.page.name}: {line}\n{text}"
        self.said.append(text)
        if target:
            (self.folder / target).write_text(text, "utf-8")

    def _olist(self, arguments: list[str]) -> tuple[int, str]:
        """Run a command in this process, as `main` would: what a person can mend is exit code 1 and a sentence."""
        result = CliRunner(env={"COLUMNS": "120"}).invoke(cli, arguments)
        known = result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout if known else f"{result.output}{result.exception!r}"

    def _other(self, program: str, arguments: list[str]) -> tuple[int, str]:
        words = PROGRAMS.get(program, [program])
        done = subprocess.run(
            [*words, *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=patient(60)
        )
        return done.returncode, done.stdout + done.stderr
