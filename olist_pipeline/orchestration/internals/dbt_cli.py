"""dbt's command line, without what dagster-dbt starts beside each invocation of it.

What belongs here: switching those off. What does not: the arguments of an invocation (`orchestration.dbt`).

Private: `_cli_version` and `_initialize_dbt_core_adapter` of `DbtCliResource`. No public setting leaves them out; to
run dbt by `subprocess` would mean to read its log for the events of assets and checks ourselves. Where an
upgrade renames them, dbt works as before, and each invocation takes two seconds longer: a test tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from dagster_dbt import DbtCliResource
from packaging.version import Version


class OwnDbt(DbtCliResource):
    """The dbt of this environment, without what Dagster would start beside each invocation of it.

    Dagster asks `dbt --version`, which asks the package index for a later one, and loads an adapter into this process
    for row counts and columns. Together they take as long as dbt itself; both are read from the warehouse here.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        return None
