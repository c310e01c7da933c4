"""Steps that need no code of their own: rows under their rulebooks, and with what they belong to.

What belongs here: the steps that a context begins with. What does not: rows that take their parents along, that are
looked at beside others, or that tell of events (the contexts do that).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from olist_domain.kernel.rules import Rulebook
from olist_pipeline.intake.codes import PARENT_REJECTED
from olist_pipeline.landing.table import LandingTable, Parent
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.table import StagedTable

if TYPE_CHECKING:
    import polars as pl

    from olist_pipeline.validation.inputs import Inputs
    from olist_pipeline.validation.validated import Validated, ValidatedTable

Ruled = tuple[LandingTable, Rulebook[Any]]


def step_alone(landing: LandingTable, book: Rulebook[Any]) -> ValidationStep:
    """Return the step that accepts the rows of a landing table that break no rejecting rule of `book`."""
    return step_together((landing, book))


def step_together(*tables: Ruled) -> ValidationStep:
    """Return the step that accepts rows that break no rejecting rule and whose parents, if among them, are accepted.

    It bears the name of the first table.
    """
    ordered = tuple(sorted(tables, key=lambda one: one[0].depth))
    staged = tuple(StagedTable.of(landing) for landing, _ in ordered)
    intake = tuple(landing.name for landing, _ in ordered)
    return ValidationStep(tables[0][0].name, staged, partial(_validated, ordered), intake=intake)


def _validated(tables: Sequence[Ruled], inputs: Inputs) -> Validated:
    # Only here: whoever reads what contexts declare need not wait for libraries of frames.
    from olist_pipeline.engine.rulebooks import derive, validate
    from olist_pipeline.validation.validated import Validated, ValidatedTable, derived_names, valid_rows

    done: dict[str, ValidatedTable] = {}
    for landing, book in tables:
        rows = validate(derive(valid_rows(inputs.intake(landing.name)), book), book).collect()
        if landing.parent and landing.parent.table.name in done:
            rows = _with_parents(rows, landing.parent, done[landing.parent.table.name].rows)
        done[landing.name] = ValidatedTable(StagedTable.of(landing), rows, derived_names(book))
    return Validated.of(done.values())


def _with_parents(rows: pl.DataFrame, parent: Parent, parents: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with PARENT_REJECTED for those of rejected `parents`."""
    import polars as pl

    from olist_pipeline.validation.validated import IS_ACCEPTED, rejected_with

    rejected = parents.filter(~IS_ACCEPTED).select(parent.table.key).unique()
    marked = rejected.with_columns(pl.lit(True).alias("is_of_rejected"))
    joined = rows.join(marked, left_on=parent.columns, right_on=parent.table.key, how="left", maintain_order="left")
    return rejected_with(joined, pl.col("is_of_rejected").fill_null(False), PARENT_REJECTED.code).drop("is_of_rejected")
