"""What Spark needs of this machine, asked before anything is started; as a program, before the extra is downloaded.

What belongs here: whether the extra and Java are here. What does not: starting them (see `session`).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from olist_pipeline.errors import OlistError

EXTRA = {"pyspark": "pyspark", "dbt.adapters.spark": "dbt-spark"}
"""What is installed with the extra, by the module that tells."""

JAVA = 17
"""The oldest Java that Spark 4 runs on."""


def check(master: str) -> None:
    """Raise OlistError where Spark with this master needs what is not here: pyspark, or Java."""
    if sentence := missing(master):
        raise OlistError(sentence)


def missing(master: str) -> str:
    """Return a sentence of what is missing and how to install it; an empty one where all is here."""
    if absent := [package for module, package in EXTRA.items() if importlib.util.find_spec(module) is None]:
        return f"OLIST_ENGINE is spark, and {absent[0]} is not installed; `make run ENGINE=spark` installs it and runs."
    return without_java(master)


def without_java(master: str) -> str:
    """Return a sentence of how to install Java where Spark with this master needs one, and there is none that fits."""
    if is_remote(master):
        return ""
    install = f"install Java {JAVA} or later (Debian: default-jre-headless), or let JAVA_HOME name one"
    java = _java()
    if java is None:
        return f"OLIST_ENGINE is spark, and there is no Java here; {install}."
    version = _version(java)
    return f"OLIST_ENGINE is spark, and {java} is {version or 'no Java'}; {install}." if _is_old(version) else ""


def is_remote(master: str) -> bool:
    """Return whether a master is a server of Spark Connect: it needs no Java here, and does not show its context."""
    return master.startswith("sc://")


def address_here(master: str) -> dict[str, str]:
    """Return the variable by which Spark and its UI listen where this machine alone reaches them, unless it is set.

    No variable where Spark is not all on this machine.

    Spark would look its host's name up, which containers often cannot, and show its UI to all that reach the machine.
    """
    if not master.startswith("local"):
        return {}
    return {"SPARK_LOCAL_IP": os.environ.get("SPARK_LOCAL_IP") or "127.0.0.1"}


def _java() -> str | None:
    """Return the Java that Spark's scripts take."""
    if home := os.environ.get("JAVA_HOME"):
        return str(Path(home) / "bin" / "java")
    return shutil.which("java")


def _version(java: str) -> str:
    """Return what Java says of its version, like `17.0.15` or `1.8.0_402`; nothing where it does not start."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, errors="replace", check=False).stderr
    except OSError:
        return ""
    found = re.search(r'version "([^"]+)"', said)
    return f"Java {found[1]}" if found else ""


def _is_old(version: str) -> bool:
    first = re.match(r"Java (\d+)", version)
    return first is None or int(first[1]) < JAVA


if __name__ == "__main__":
    sys.exit(without_java(os.environ.get("OLIST_SPARK_MASTER") or "local[*]") or 0)
