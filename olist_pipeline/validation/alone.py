"""A table validated by itself: its rows under its rulebook, beside no other table, and without events.

What belongs here: the step that a context begins with. What does not: rows that are accepted or rejected together, or
that are looked at beside others (the contexts do that).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from olist_domain.kernel.rules import Rulebook
from olist_pipeline.landing.catalogue import LandingTable
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.table import StagedTable

if TYPE_CHECKING:
    from olist_pipeline.validation.inputs import Inputs
    from olist_pipeline.validation.validated import Validated


def step_alone(landing: LandingTable, book: Rulebook[Any]) -> ValidationStep:
    """Return the step that accepts the rows of a landing table that break no rejecting rule of `book`."""
    table = StagedTable.of(landing)
    return ValidationStep(landing.name, (table,), partial(_validated, table, book), intake=(landing.name,))


def _validated(table: StagedTable, book: Rulebook[Any], inputs: Inputs) -> Validated:
    # Only here: whoever reads what contexts declare need not wait for libraries of frames.
    from olist_pipeline.engine.rulebooks import derive, validate
    from olist_pipeline.validation.validated import Validated, ValidatedTable, derived_names, valid_rows

    rows = validate(derive(valid_rows(inputs.intake(table.name)), book), book).collect()
    return Validated.of([ValidatedTable(table, rows, derived_names(book))])
