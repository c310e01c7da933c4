"""Resources: the one seam between the graph and the environment it runs in.

What belongs here: what assets need of the outside world. What does not: work. Tests build the definitions
with a pipeline resource of their own.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import CutoverRules, Settings
from olist_pipeline.stores import postgres


class PipelineResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the files and the operational stores are; the server is started at the first use."""

    home: str
    landing: str
    postgres_url: str | None = None
    engine: str = "polars"
    alert_webhook: str | None = None
    is_automated: bool = False
    cutover: dict[str, float] = {}

    @classmethod
    def of(cls, settings: Settings) -> "PipelineResource":
        """Return the resource of `settings`."""
        return cls(
            home=str(settings.home),
            landing=str(settings.landing),
            postgres_url=settings.postgres_url,
            engine=settings.engine,
            alert_webhook=settings.alert_webhook,
            is_automated=settings.is_automated,
            cutover=asdict(settings.cutover),
        )

    @property
    def settings(self) -> Settings:
        """The settings of the environment."""
        return Settings(
            Path(self.home),
            Path(self.landing),
            self.postgres_url,
            self.engine,
            alert_webhook=self.alert_webhook,
            is_automated=self.is_automated,
            cutover=self._cutover_rules,
        )

    @property
    def _cutover_rules(self) -> CutoverRules:
        values = dict(self.cutover)
        return CutoverRules(streak=int(values.pop("streak", CutoverRules.streak)), **values)

    @property
    def url(self) -> str:
        """The address of the server, with the operational schemas in place."""
        return _ready_server(self.settings)


@functools.cache
def _ready_server(settings: Settings) -> str:
    return postgres.ready_url(settings)


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn an error that a person can mend into a failure whose description is its sentence, without retries."""
    try:
        yield
    except OlistError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
