"""Which Python the project is set up with. Nothing is installed: the interpreters are scripts that say a version."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).parents[2]
MAKE_VENV = PROJECT / "scripts" / "make_venv.sh"
ALONE = PROJECT / "scripts" / "alone.sh"

FAKE = """#!/bin/sh
[ "$1" = -m ] && {{ echo "made by {name}: $*"; : >venv/pyvenv.cfg; exit 0; }}
[ "$1" = --version ] && {{ echo "Python {version}"; exit 0; }}
code=$2; shift 2
exec {python} -I -S -c 'import sys
sys.version_info = ({numbers}, "final", 0)
for name in "{lacks}".split(): sys.modules[name] = None
code = sys.argv.pop(1)
exec(code)' "$code" "$@"
"""


def fake(folder, name, version, lacks=""):
    """Put an interpreter on the path that says it is `version`, and lacks the modules `lacks`."""
    numbers = version.replace(".", ", ")
    file = folder / name
    file.write_text(FAKE.format(name=name, version=version, numbers=numbers, lacks=lacks, python=sys.executable))
    file.chmod(0o755)
    return file


def set_up(path, named=""):
    """Return the exit code and what was said, with the interpreters in `path` alone."""
    for name in ("mkdir", "rm"):
        if not (path / name).exists():
            (path / name).symlink_to(shutil.which(name))
    command = ["/bin/sh", str(MAKE_VENV), "venv", str(named), "3.13", "3.12", "3.11"]
    done = subprocess.run(command, env={"PATH": str(path)}, cwd=path, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_the_newest_that_fits_is_taken(tmp_path):
    fake(tmp_path, "python3", "3.14.0")
    fake(tmp_path, "python3.11", "3.11.9")
    fake(tmp_path, "python3.12", "3.12.1")
    assert set_up(tmp_path) == (0, "Setting up venv with Python 3.12.1 ...\nmade by python3.12: -m venv venv")


def test_python3_is_taken_where_it_fits(tmp_path):
    fake(tmp_path, "python3", "3.13.2")
    assert set_up(tmp_path) == (0, "Setting up venv with Python 3.13.2 ...\nmade by python3: -m venv venv")


def test_a_name_that_starts_nothing_is_passed_over(tmp_path):
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    fake(tmp_path, "python3.11", "3.11.9")
    assert set_up(tmp_path)[1].endswith("made by python3.11: -m venv venv")


def test_a_python_that_does_not_fit_is_named_in_one_sentence(tmp_path):
    fake(tmp_path, "python3", "3.14.0")
    assert set_up(tmp_path) == (
        1,
        "Python 3.11 to 3.13 is needed. python3 is Python 3.14. "
        "Install python3.13, or name one: make PYTHON=/path/to/python3.13",
    )


def test_a_python_without_venv_says_what_to_install(tmp_path):
    fake(tmp_path, "python3", "3.11.2", lacks="ensurepip")
    code, said = set_up(tmp_path)
    assert code == 1
    assert "python3 lacks the module venv (on Debian and Ubuntu: apt install python3.11-venv)." in said


@pytest.mark.parametrize("name", ["a {b}", "a $b"])
def test_a_folder_that_setuptools_cannot_name_is_refused_before_a_minute_of_installing(tmp_path, name):
    (tmp_path / name).mkdir()
    fake(tmp_path / name, "python3", "3.13.2")
    code, said = set_up(tmp_path / name)
    assert (code, said.partition(" has a brace or a dollar")[0]) == (1, str(tmp_path / name))
    assert not (tmp_path / name / "venv").exists()


def test_no_python_at_all(tmp_path):
    assert set_up(tmp_path) == (
        1,
        "Python 3.11 to 3.13 is needed. There is none on the PATH. "
        "Install python3.13, or name one: make PYTHON=/path/to/python3.13",
    )


def test_the_named_one_is_the_only_one_tried(tmp_path):
    (tmp_path / "my pythons").mkdir()
    named = fake(tmp_path / "my pythons", "python", "3.12.1")
    fake(tmp_path, "python3.13", "3.13.0")
    assert set_up(tmp_path, named)[1].endswith("made by python: -m venv venv")
    fake(tmp_path / "my pythons", "python", "3.10.1")
    assert f"{named} is Python 3.10." in set_up(tmp_path, named)[1]
    assert "/nowhere does not start." in set_up(tmp_path, "/nowhere")[1]


def moved(folder, name="venv"):
    """Return what is said of the environment in `folder` before make uses it."""
    script = str(PROJECT / "scripts" / "remove_moved_venv.sh")
    return subprocess.run([script, name], cwd=folder, capture_output=True, text=True, check=True).stdout


class TestAnEnvironmentThatIsThere:
    def test_stays_where_it_was_made(self, tmp_path):
        fake(tmp_path, "python3", "3.13.2")
        set_up(tmp_path)
        assert moved(tmp_path) == ""
        assert (tmp_path / "venv").is_dir()

    def test_is_made_anew_in_a_copy_of_its_folder_whose_code_it_would_not_run(self, tmp_path):
        (tmp_path / "one").mkdir()
        fake(tmp_path / "one", "python3", "3.13.2")
        set_up(tmp_path / "one")
        shutil.copytree(tmp_path / "one", tmp_path / "other")
        assert "made anew" in moved(tmp_path / "other")
        assert not (tmp_path / "other" / "venv").exists()

    def test_is_made_anew_where_it_was_interrupted(self, tmp_path):
        fake(tmp_path, "python3", "3.13.2")
        set_up(tmp_path)
        (tmp_path / "python3").write_text((tmp_path / "python3").read_text().replace("exit 0", "kill -9 $PPID", 1))
        shutil.rmtree(tmp_path / "venv")
        assert set_up(tmp_path)[0] != 0
        assert "made anew" in moved(tmp_path)

    def test_is_made_anew_where_a_part_of_it_was_removed(self, tmp_path):
        """Its Python would install into the one that it was made with."""
        fake(tmp_path, "python3", "3.13.2")
        set_up(tmp_path)
        (tmp_path / "venv" / "pyvenv.cfg").unlink()
        assert "made anew" in moved(tmp_path)
        (tmp_path / ".venv" / "bin").mkdir(parents=True)
        assert "made anew" in moved(tmp_path, ".venv")
        assert not [*tmp_path.glob("*venv*")]

    def test_is_left_alone_while_another_make_makes_it(self, tmp_path):
        fake(tmp_path, "python3", "3.13.2")
        set_up(tmp_path)
        (tmp_path / "venv" / ".made_in").write_text("not made yet\n")
        (tmp_path / "venv.lock").symlink_to(str(os.getpid()))
        assert moved(tmp_path) == ""
        assert (tmp_path / "venv").is_dir()
        (tmp_path / "venv.lock").unlink()
        assert "made anew" in moved(tmp_path)

    def test_is_left_alone_where_somebody_else_made_it(self, tmp_path):
        for name in ("venv", ".venv"):
            (tmp_path / name / "bin").mkdir(parents=True)
            (tmp_path / name / "pyvenv.cfg").touch()
            assert moved(tmp_path, name) == ""
            assert (tmp_path / name).is_dir()


def test_who_sets_up_waits_for_another_and_not_for_one_that_was_killed(tmp_path):
    lock = tmp_path / "venv.lock"
    lock.symlink_to(str(os.getpid()))
    command = [str(ALONE), "venv", "sh", "-c", "readlink venv.lock; exit 3"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
        assert second.stderr is not None
        assert second.stderr.readline().startswith(f"Waiting for process {os.getpid()},")
        with subprocess.Popen(["true"]) as ended:
            pass
        lock.unlink()
        lock.symlink_to(str(ended.pid))
        assert second.communicate() == (f"{second.pid}\n", "")
    assert second.returncode == 3
    assert not lock.is_symlink()


def test_make_runs_what_is_in_the_environment_whatever_the_shell_has(tmp_path):
    shown = tmp_path / "shown.mk"
    shown.write_text("shown:\n\t@env\n")
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", str(shown), f"VENV={tmp_path}/venv", "shown"]
    names = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_CONSTRAINT")
    shell = {**os.environ, **dict.fromkeys(names, "/opt/others"), "PIP_USER": "1", "PIP_DRY_RUN": "1"}
    said = subprocess.run(command, cwd=PROJECT, env=shell, capture_output=True, text=True, check=True).stdout
    assert not re.search("^(PYTHON(PATH|HOME)|PIP_(TARGET|PREFIX|ROOT|DRY_RUN|PYTHON|CONSTRAINT))=", said, flags=re.M)
    assert {"PIP_USER=0", "PIP_REQUIRE_VIRTUALENV=1"} <= {*said.splitlines()}


def test_a_clone_has_the_same_bytes_where_git_writes_line_ends_of_windows(tmp_path):
    command = [
        "git",
        "-c",
        "core.autocrlf=true",
        "clone",
        "--quiet",
        "--no-hardlinks",
        str(PROJECT),
        str(tmp_path / "clone"),
    ]
    subprocess.run(command, check=True)
    assert b"\r" not in (tmp_path / "clone" / "scripts" / "make_venv.sh").read_bytes()


def test_make_tries_exactly_the_versions_that_the_project_declares():
    [tried] = re.findall(r"^PYTHON_VERSIONS := (.+)$", (PROJECT / "Makefile").read_text(), flags=re.M)
    declared = SpecifierSet(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert tried.split() == [f"3.{minor}" for minor in reversed(range(30)) if f"3.{minor}" in declared]


def test_make_hands_over_the_python_that_is_named(tmp_path):
    command = ["make", "--dry-run", f"VENV={tmp_path}/venv", "PYTHON=/opt/python", f"{tmp_path}/venv/bin/python"]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert f'scripts/make_venv.sh {tmp_path}/venv "/opt/python" 3.13 3.12 3.11' in said


def planned(tmp_path, *arguments):
    """Return what make would do for `run`, in an environment that is not there yet."""
    command = ["make", "--no-print-directory", "--dry-run", f"VENV={tmp_path}/venv", *arguments, "run"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def test_a_run_sets_spark_up_where_it_is_the_engine_and_not_else(tmp_path):
    plain, on_spark = planned(tmp_path), planned(tmp_path, "ENGINE=spark")
    assert "requirements-spark.lock" not in plain
    assert "requirements-spark.lock" in on_spark
    assert on_spark.splitlines()[-1] == f"OLIST_ENGINE=spark {tmp_path}/venv/bin/python -m olist_pipeline run"
    assert plain.splitlines()[-1].strip() == f"{tmp_path}/venv/bin/python -m olist_pipeline run"
