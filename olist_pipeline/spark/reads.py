"""What an application of Spark read, by its own log of events: the proof that replay read accepted rows and no others.

What belongs here: having the log written, and the sentences for what was read elsewhere. What does not: what a manifest
tells without running anything (`migration.proof`), and DuckDB's barrier, which refuses (`migration.barrier`).

Spark has nothing that holds SQL back, but it writes down the plan of each statement, those that macros run included,
with the files of each scan. So replay is run to its end, and is no proof where a plan reads what is not replay's own,
or reads by other means than files of tables. What the log does not say in full counts as read elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.proof import REMEDY

PATIENCE_SECONDS = 60
"""So long may Spark take to end after dbt has: what it says last comes last."""

_PLANNED = re.compile(r'"Event":"org\.apache\.spark\.sql\.execution\.ui\.SparkListenerSQL\w*(Start|Update)"')
_END = '"Event":"SparkListenerApplicationEnd"'
_LOCATION = re.compile(r"\w+\((\d+) paths?\)\[(.*)\]", re.DOTALL)
_SCAN = re.compile(r"(?:Batch)?Scan\b|\w+TableScan\b")
_OF_NO_DATA = re.compile(r"Scan OneRowRelation|LocalTableScan|InMemoryTableScan")
_BY_OTHER_MEANS = re.compile(r"(Script\w*Transformation|LoadData\w*|Add(?:Jar|File|Archive)s?\w*|CreateFunction\w*)")
_CALLS = re.compile(r"\b(reflect|try_reflect|java_method)\(")
_INTO = re.compile(r"InsertIntoHadoopFsRelationCommand .*?/([^/,]+), (?:true|false), ")
"""The folder of the table that a plan writes. Its path ends where the flags begin."""


@dataclass(frozen=True)
class ReadLog:
    """The log of an application that is to come, in a folder of its own."""

    folder: Path

    def begin(self) -> None:
        """Make ready for the next application: what an earlier one read is forgotten."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def configuration(self) -> dict[str, str]:
        """Return what Spark must be configured with, so that it says all that it reads."""
        return {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.folder.as_uri(),
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.compress": "false",
            "spark.sql.maxMetadataStringLength": "1000000",
            "spark.sql.debug.maxToStringFields": "1000000",
        }

    def elsewhere(self, allowed: Sequence[Path]) -> list[str]:
        """Return a sentence's part for each thing that was read which is not below one of `allowed`.

        Raises OlistError where the log is not there to its end.
        """
        found = dict.fromkeys(
            f"{maker} {what}"
            for maker, plan in _plans(self._whole())
            for node in _nodes(plan)
            for what in _read(node, allowed)
        )
        return list(found)

    def _whole(self) -> list[str]:
        """Return the lines of the log, once Spark has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            files = [path for path in self.folder.glob("*") if path.is_file() and not path.name.startswith(".")]
            lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
            if files and sum(_END in line for line in lines) == len(files):
                return lines
            if time.monotonic() > end:
                raise OlistError(
                    f"Spark did not say all that replay read ({self.folder} has no log to its end), so it is no proof; "
                    "run again."
                )
            time.sleep(0.2)


def refusal_of(read: Sequence[str]) -> str:
    """Return the sentence for what replay read elsewhere; nothing where it did not."""
    return f"Replay is no proof: {', '.join(read)}, where no accepted rows are; {REMEDY}." if read else ""


def _plans(lines: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each plan of the log, with who asked for it."""
    makers: dict[int, str] = {}
    for line in lines:
        if not _PLANNED.search(line[:200]):
            continue
        event = json.loads(line)
        number, plan = event["executionId"], event["sparkPlanInfo"]
        # What is planned anew half-way does not say again what it writes.
        if made := _INTO.search(_text(plan)):
            makers[number] = f"the model {made[1]}"
        yield makers.get(number, "something"), plan


def _text(plan: dict[str, Any]) -> str:
    return "\n".join(str(node["simpleString"]) for node in _nodes(plan))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan["children"]:
        yield from _nodes(child)


def _read(node: dict[str, Any], allowed: Sequence[Path]) -> Iterator[str]:
    name, metadata = str(node["nodeName"]), node.get("metadata") or {}
    if "Location" in metadata:
        yield from (f"reads {path}" for path in _paths(str(metadata["Location"])) if not _is_below(path, allowed))
    elif _SCAN.match(name) and not _OF_NO_DATA.match(name):
        yield f"reads by {name.strip()}"
    if by := _BY_OTHER_MEANS.search(name):
        yield f"reads by {by[1]}"
    if called := _CALLS.search(str(node["simpleString"])):
        yield f"calls {called[1]}"


def _paths(location: str) -> list[str]:
    """Return the paths of a scan; what cannot be read in full is returned as it is, which is nobody's path."""
    found = _LOCATION.fullmatch(location)
    paths = found[2].split(", ") if found else []
    if not found or len(paths) != int(found[1]) or "..." in paths:
        return [location]
    return [path.removeprefix("file:") if path.startswith("file:/") else path for path in paths]


def _is_below(path: str, allowed: Sequence[Path]) -> bool:
    # Links are followed, and so is `..`: what lies there is what was read.
    real = Path(os.path.realpath(path))
    return path.startswith("/") and any(real.is_relative_to(one) for one in allowed)
