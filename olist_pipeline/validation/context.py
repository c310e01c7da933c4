"""What a bounded context is to the pipeline: its files, its staged tables, its steps, its rulebooks and its ids.

What belongs here: these declarations. What does not: any particular context (see `contexts`), and running a
step (see `steps`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from olist_domain.kernel.rules import Rulebook
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.table import LandingTable, require_tuples
from olist_pipeline.validation.table import Link, StagedTable

if TYPE_CHECKING:
    import polars as pl

    from olist_pipeline.validation.inputs import Inputs
    from olist_pipeline.validation.validated import Validated


@dataclass(frozen=True)
class Imported:
    """A function of inputs by its place, `module:function`, which is imported once it is called.

    Libraries of frames take a second to import: commands that only read what contexts declare do without them.
    """

    place: str

    def __call__(self, inputs: Any) -> Any:
        """Return what the function makes of `inputs`."""
        return self.load()(inputs)

    def load(self) -> Callable[[Any], Any]:
        """Import the function, and with it the events that it tells; raises OlistError where there is none."""
        name, _, function = self.place.partition(":")
        try:
            found: Callable[[Any], Any] = getattr(importlib.import_module(name), function)
        except (ModuleNotFoundError, AttributeError) as error:
            missing = getattr(error, "name", "") or ""
            if missing != function and not f"{name}.".startswith(f"{missing}."):
                raise  # of what the module itself imports
            why = f"there is no {missing}; write it, or mend its name there"
            raise OlistError(f'A step names Imported("{self.place}"), and {why}.') from error
        return found


@dataclass(frozen=True)
class ValidationStep:
    """One validation step: tables that are validated together.

    `intake` names the intake tables that it reads, `published` the accepted tables (`context/table`): it can
    read nothing else, so the asset graph tells the truth. A step's tables are all monthly, or none is.

    A monthly step is cut by months into units of work. `cut` names the column by which a month, or all that a step
    without months reads, may be cut further: rows are validated beside rows of the same value, and of tables that have
    no months. `has_whole_aggregates` says that no aggregate has events of several months or values of `cut`: then
    events of one unit can be stored before those of the next are known.

    `overview` is for a step without months that is cut: what its parts need to know of all rows, made of the inputs of
    all parts before the first is validated. Each part is given the rows of its own values of `cut` (see
    `Inputs.overview`); what is not cut sees for itself.
    """

    name: str
    tables: tuple[StagedTable, ...]
    validate: Callable[[Inputs], Validated]
    intake: tuple[str, ...]
    published: tuple[str, ...] = ()
    cut: str | None = None
    has_whole_aggregates: bool = False
    overview: Callable[[Iterable[Inputs]], pl.LazyFrame] | None = None

    def __post_init__(self) -> None:
        require_tuples(self, f"The step {self.name}", "tables", "intake", "published")
        if len({table.is_monthly for table in self.tables}) != 1:
            raise ValueError(f"Step {self.name} needs a table, or more that are all monthly, or none of them")
        if self.overview and (self.is_monthly or not self.cut):
            raise ValueError(f"Step {self.name} is never cut as a whole, so nothing reads its overview")

    @property
    def is_monthly(self) -> bool:
        """Whether the step validates whole months, one or more at a time."""
        return self.tables[0].is_monthly


@dataclass(frozen=True)
class Context:
    """A bounded context: the landing files that it owns, its steps, and the rulebooks that they run.

    `links` are the ids of its own by which rows of the warehouse are traced to quarantined ones.
    """

    name: str
    landing: tuple[LandingTable, ...]
    steps: tuple[ValidationStep, ...]
    rulebooks: tuple[Rulebook[Any], ...]
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        require_tuples(self, f"The context {self.name}", "landing", "steps", "rulebooks", "links")

    @property
    def tables(self) -> tuple[StagedTable, ...]:
        """The staged tables of all steps."""
        return tuple(table for step in self.steps for table in step.tables)
