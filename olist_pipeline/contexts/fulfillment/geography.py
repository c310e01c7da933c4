"""The validation of geography: points of zip prefixes in, accepted points and the places that they make out.

What belongs here: what the points of a zip prefix add up to, as frames. What does not: rules and derivations
(the domain's rulebooks are run), reading and writing (see `steps`).
"""

from __future__ import annotations

import polars as pl

from olist_domain.fulfillment.facts import POINT_ROLLUPS, GeolocationFacts
from olist_domain.fulfillment.rules import GEOGRAPHY_RULES, GEOLOCATION_RULES
from olist_pipeline.contexts.fulfillment import POINT_PREFIX, POINT_TABLE, ZIP_PREFIX, ZIP_PREFIX_TABLE
from olist_pipeline.engine.rulebooks import derive, rollup, validate
from olist_pipeline.validation.inputs import Inputs
from olist_pipeline.validation.validated import IS_ACCEPTED, Validated, ValidatedTable, valid_rows


def validate_inputs(inputs: Inputs) -> Validated:
    """Validate all points."""
    return validate_geography(inputs.intake("geolocation"))


def validate_geography(points: pl.LazyFrame) -> Validated:
    """Validate intake rows of points, and make places of the accepted ones. Nothing happens to a place: no events."""
    validated = validate(valid_rows(points), GEOLOCATION_RULES).collect()
    places = _places(validated.lazy().filter(IS_ACCEPTED))
    return Validated.of(
        [
            ValidatedTable(POINT_TABLE, validated),
            ValidatedTable(ZIP_PREFIX_TABLE, places, ("latitude", "longitude", "city", "state", "region", "points")),
        ],
    )


def _places(points: pl.LazyFrame) -> pl.DataFrame:
    totals = rollup(points, POINT_PREFIX, GeolocationFacts, POINT_ROLLUPS)
    whole = (
        totals.join(_most_frequent(points, "geolocation_city", "city"), on=POINT_PREFIX)
        .join(_most_frequent(points, "geolocation_state", "state"), on=POINT_PREFIX)
        .rename({POINT_PREFIX: ZIP_PREFIX})
        .sort(ZIP_PREFIX)
    )
    return validate(derive(whole, GEOGRAPHY_RULES), GEOGRAPHY_RULES).collect()


def _most_frequent(points: pl.LazyFrame, column: str, name: str) -> pl.LazyFrame:
    """Return the text that most points of each zip prefix have in `column`, ties by the smaller."""
    counted = points.group_by(POINT_PREFIX, column).len().sort("len", column, descending=[True, False])
    return counted.unique(POINT_PREFIX, keep="first", maintain_order=True).select(
        POINT_PREFIX, pl.col(column).alias(name)
    )
