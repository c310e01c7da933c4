"""The barrier around replay: a dbt-duckdb plugin that keeps DuckDB from every file but those that it may read.

What belongs here: switching DuckDB's own access off, once per database, before dbt sends it anything. What does not:
which files are allowed (`profiles`), and what is said of a model that asked for another (`proof`).

Once external access is off, nothing switches it on again in the same process, neither a hook nor a model: DuckDB
refuses. It resolves links and `..` before it compares paths, and refuses ATTACH, COPY, INSTALL and remote files, too.
It does not hold back Python: models in Python, plugins and seeds are found in the manifest instead (`proof`).
"""

from __future__ import annotations

from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from olist_pipeline.migration.closing import close_off


class Plugin(BasePlugin):
    """Closes off each database that dbt opens for replay."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the allowed paths, all absolute."""
        self.folders, self.files = list(plugin_config["folders"]), list(plugin_config["files"])

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Close the database off."""
        close_off(conn, self.folders, self.files)
