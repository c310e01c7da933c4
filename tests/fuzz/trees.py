"""The three trees of the dbt project as statements: compiled once, executed over any landing within this process.

What belongs here: what dbt does with a compiled model, in short. What does not: which landing there is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import WarehouseTable, warehouse_tables

HOME, LANDING, AS_OF = "/home-of-nobody", "/landing-of-nobody", "2099-12-31"
"""What the project is compiled with, to be replaced by what a landing has."""
REPLAY_LANDING = "replay_landing"


@dataclass(frozen=True)
class Trees:
    """Statements by tree, in the order of their dependencies, and the tests of the new one."""

    statements: dict[str, list[str]]
    tests: dict[str, str]
    tables: tuple[WarehouseTable, ...]

    @classmethod
    def of(cls, manifest: dict[str, Any]) -> Trees:
        """Return the trees of a compiled project."""
        models = {uid: node for uid, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        old = [node for node in _ordered(models) if node["fqn"][1] == OLD]
        new = [
            node for node in _ordered(models) if node["fqn"][1] == NEW and node["config"]["materialized"] != "ephemeral"
        ]
        of_old = [_statement(node) for node in old]
        of_replay = [
            statement.replace(LANDING, f"{HOME}/{REPLAY_LANDING}").replace(f'."{OLD}".', f'."{REPLAY}".')
            for statement in of_old
        ]
        tests = {
            node["name"]: node["compiled_code"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "test" and f'."{NEW}".' in node["compiled_code"]
        }
        statements = {OLD: of_old, REPLAY: of_replay, NEW: [_statement(node) for node in new]}
        return cls(statements, tests, warehouse_tables(manifest))

    def build(self, settings: Settings, as_of: date) -> duckdb.DuckDBPyConnection:
        """Return a warehouse in memory with the three trees over a landing and its staging."""
        connection = duckdb.connect(":memory:", config={"threads": 1})
        connection.execute("ATTACH ':memory:' AS warehouse; USE warehouse")
        for tree, statements in self.statements.items():
            connection.execute(f"CREATE SCHEMA {tree}")
            for statement in statements:
                connection.execute(_placed(statement, settings, as_of))
        return connection

    def failing_tests(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the names of the tests of the new tree that find something."""
        counts = " UNION ALL ".join(
            f"SELECT '{name}' AS name, (SELECT count(*) FROM ({test})) AS failing" for name, test in self.tests.items()
        )
        return [name for name, failing in connection.execute(counts).fetchall() if failing]


def _placed(statement: str, settings: Settings, as_of: date) -> str:
    return (
        statement.replace(LANDING, str(settings.landing)).replace(HOME, str(settings.home)).replace(AS_OF, f"{as_of}")
    )


def _ordered(models: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the models, each after those that it reads."""
    order: dict[str, dict[str, Any]] = {}

    def visit(uid: str) -> None:
        if uid in models and uid not in order:
            for parent in models[uid]["depends_on"]["nodes"]:
                visit(parent)
            order[uid] = models[uid]

    for uid in models:
        visit(uid)
    return list(order.values())


def _statement(node: dict[str, Any]) -> str:
    """Return the statement by which dbt makes a model: a table by its contract, a plain table or a view."""
    name, code = node["relation_name"], node["compiled_code"]
    if node["config"]["materialized"] == "view":
        return f"CREATE VIEW {name} AS {code}"
    if not node["config"]["contract"]["enforced"]:
        return f"CREATE TABLE {name} AS {code}"
    columns = node["columns"].values()
    types = ", ".join(f"{column['name']} {column['data_type']}" for column in columns)
    names = ", ".join(column["name"] for column in columns)
    return f"CREATE TABLE {name} ({types}); INSERT INTO {name} ({names}) SELECT {names} FROM ({code})"


def load_trees(manifest: Path) -> Trees:
    """Return the trees of a compiled manifest."""
    return Trees.of(json.loads(manifest.read_text("utf-8")))
