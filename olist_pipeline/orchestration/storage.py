"""Dagster's storage: the PostgreSQL of the environment, embedded or given.

What belongs here: pointing Dagster to the server, and how it talks to it. What does not: the server
(`stores.postgres`).
"""

from __future__ import annotations

import json
import os
from typing import Any

import dagster as dg
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine

from olist_pipeline.settings import Settings
from olist_pipeline.stores.postgres import dagster_url, server_url

EVENTS_AT_ONCE = "1000"
"""A run over many months tells of each table in each month: Dagster stores so many of these events together."""


class EnvironmentStorage(DagsterPostgresStorage):
    """The storage that `dagster.yaml` names: it needs no address, so every Dagster command works as it is."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        # A run asks thousands of times. Left alone, the storage connects anew each time, which costs a third of the
        # run, most of it in the server. A connection that the server dropped meanwhile is noticed and replaced.
        for part in (self._event_log_storage, self._run_storage, self._schedule_storage):
            part._engine = create_pg_engine(
                postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20, pool_pre_ping=True
            )

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the server's address, which child processes are told: they need not look for it again."""
        return {"postgres_url": dg.Field(str, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> EnvironmentStorage:
        """Return the storage at the given address, else at the environment's server, which is started where none is."""
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENTS_AT_ONCE)
        url = config_value.get("postgres_url") or dagster_url(server_url(Settings.from_env()))
        return cls(url, inst_data=ConfigurableClassData(__name__, cls.__name__, json.dumps({"postgres_url": url})))
