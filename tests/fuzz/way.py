"""The way of a mutant: everything that `olist run` does with a landing, in this process and over a small server.

What belongs here: the laws that hold of any landing whatever. What does not: drawing one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from olist_pipeline.dialect.check import check
from olist_pipeline.dialect.dialect import duckdb_relation
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.csv_file import SOURCE_ROW, read_text
from olist_pipeline.landing.folder import path_of, readable_landing
from olist_pipeline.landing.inspection import inspect_landing
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.load import present_migration
from olist_pipeline.months import MonthRange
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.parity.causes import causes
from olist_pipeline.parity.reconciliation import intake_reconciliation_of, reconciliation_of
from olist_pipeline.registry import LANDING, LINKS, STEPS, origins
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.settings import Settings
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores import quarantine
from olist_pipeline.stores.postgres import transaction
from olist_pipeline.tablediff.fingerprint import fingerprint
from tests.fuzz.mutants import Files
from tests.fuzz.trees import Trees

RUN = "fuzz"


@dataclass
class Outcome:
    """What became of a landing: the sentence that refused it, or the verdicts on its tables."""

    refused: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)


def place(files: Files, folder: Path) -> Path:
    """Write the files of a mutant to a folder of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def refusal_of(settings: Settings) -> str:
    """Return the sentence that `olist data check` gives of the first unusable file, with all that such must be."""
    for report in inspect_landing(settings, LANDING.values()):
        if report.problem:
            return sentence(report.problem)
    return ""


def sentence(text: str) -> str:
    """Return a text that must be one sentence for a person."""
    assert "\n" not in text, text
    assert text.endswith("."), text
    assert len(text) < 500, text
    assert "Error" not in text, text
    return text


def readers_agree(connection: duckdb.DuckDBPyConnection, landing: Path, table: LandingTable) -> None:
    """Assert that Polars and DuckDB see the same cells in the records that are not set aside, byte for byte."""
    path = path_of(landing, table)
    text = read_text(path, table)
    names = ", ".join(f'"{name}"' for name in table.columns)
    found = connection.execute(f"SELECT {names} FROM {duckdb_relation(path, check(path).header)}").fetchall()
    assert len(found) == text.rows.height + text.malformed.height
    assert sorted([*text.rows[SOURCE_ROW], *text.malformed[SOURCE_ROW]]) == list(range(1, len(found) + 1))
    for number, *cells in text.rows.rows():
        assert tuple(cell or None for cell in cells) == found[number - 1], (table.name, number)


def whole_way(settings: Settings, trees: Trees) -> Outcome:
    """Return what a run makes of a landing; asserts every law that it must keep."""
    url = settings.postgres_url or ""
    if refused := refusal_of(settings):
        return Outcome(refused)
    _empty(settings)
    landing = readable_landing(settings, LANDING.values())
    try:
        first, last = dated_span(landing, LANDING["orders"], date.today())
    except OlistError as error:
        return Outcome(sentence(str(error)))
    months = list(MonthRange(first.date().replace(day=1), last.date().replace(day=1)))
    with duckdb.connect() as connection:
        for table in LANDING.values():
            readers_agree(connection, landing, table)
    for table in LANDING.values():
        run_intake(settings, url, table, date.today(), RUN)
        ledger = intake_reconciliation_of(settings, table)
        assert ledger.holds, (table.name, ledger.sentence())
    for step in STEPS:
        run_validation(settings, url, step, months if step.is_monthly else None, RUN, LANDING["orders"])
        for staged in step.tables:
            found = reconciliation_of(settings, url, staged)
            assert found.holds, (staged.name, found.sentence())
    write_replay_landing(replace(settings, landing=landing), present_migration())
    return Outcome(verdicts=_verdicts(replace(settings, landing=landing), url, trees, last.date()))


def _verdicts(settings: Settings, url: str, trees: Trees, as_of: date) -> dict[str, str]:
    traced = causes(url, settings.staging, LINKS)
    with trees.build(settings, as_of) as connection:
        assert trees.failing_tests(connection) == []
        verdicts = {}
        for table in trees.tables:
            if len({fingerprint(connection, f"{tree}.{table.name}").digest for tree in trees.statements}) == 1:
                verdicts[table.name] = "identical"
                continue
            evidence = Evidence(quarantine.totals_by_rule(url, origins(table.reads)), traced)
            parity = parity_of(connection, table, evidence)
            assert parity.is_green, parity.sentences()
            parity.to_dict()
            verdicts[table.name] = parity.verdict.value
    return verdicts


def _empty(settings: Settings) -> None:
    shutil.rmtree(settings.home, ignore_errors=True)
    settings.home.mkdir(parents=True)
    with transaction(settings.postgres_url or "") as connection:
        connection.cursor().execute("DELETE FROM data_quality.quarantine")
