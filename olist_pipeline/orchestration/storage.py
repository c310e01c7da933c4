"""Dagster's storage: the PostgreSQL of the environment, embedded or given.

What belongs here: pointing Dagster to the server, and how it writes there. What does not: the server
(`stores.postgres`).
"""

from __future__ import annotations

import json
import os
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from olist_pipeline.settings import Settings
from olist_pipeline.stores.postgres import dagster_url, server_url

EVENTS_AT_ONCE = "1000"
"""A run over many months tells of each table in each month: Dagster stores so many of these events together."""


class EnvironmentStorage(DagsterPostgresStorage):
    """The storage that `dagster.yaml` names: it needs no address, so every Dagster command works as it is."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no configuration: the environment has it all."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> DagsterPostgresStorage:
        """Return the storage at the environment's server, which is started where none is given.

        Child processes are told the address itself: they need not look for it again.
        """
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENTS_AT_ONCE)
        url = dagster_url(server_url(Settings.from_env()))
        config = json.dumps({"postgres_url": url})
        data = ConfigurableClassData("dagster_postgres", "DagsterPostgresStorage", config)
        return DagsterPostgresStorage(url, inst_data=data)
