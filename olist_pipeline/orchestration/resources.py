"""Resources: the one seam between the graph and the environment it runs in.

What belongs here: what assets need of the outside world. What does not: work.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from olist_pipeline.settings import Settings
from olist_pipeline.stores import schema
from olist_pipeline.troubles import sentence_of


class Pipeline:
    """Where the files and the operational stores are; the server is started at the first use.

    It is no configurable resource: Dagster shows the configuration of one to everybody, addresses with passwords too.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def url(self) -> str:
        """The address of the server, with the operational schemas in place."""
        return _ready_server(self.settings)


PipelineResource = dg.ResourceParam[Pipeline]
"""What an asset, check or sensor calls the type of its parameter `pipeline`."""


@functools.cache
def _ready_server(settings: Settings) -> str:
    return schema.ready_url(settings)


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn an error that a person can mend into a failure whose description is its sentence, without retries."""
    try:
        yield
    except dg.Failure:
        raise
    except BaseException as error:  # where Polars panics, it raises one
        if sentence := sentence_of(error):
            raise dg.Failure(description=sentence, allow_retries=False) from None
        raise
