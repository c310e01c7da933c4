"""Records: typed rows as intake publishes them, before any business rule has run.

What belongs here: the base of all records. What does not: rules (a record may hold a negative price;
the rules say so) and behaviour (entities and aggregates have that).
"""

from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict

CELL_TYPES = (str, int, float, Decimal, datetime)
"""The types that a cell of a source can have."""


class Record(BaseModel):
    """One typed row. Field names are the source's column names; an optional field may be missing.

    A column that is called what no field may be called has its name as the field's alias (`Field(alias="Order ID")`):
    the source says that name, and all else the field's.

    The model is the contract between the source and the domain: intake takes column names, types and what
    is required from it. A field has one of `CELL_TYPES` (a Decimal has two digits after the point).
    """

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True)


def value_type(annotation: Any) -> type:
    """Return the type of a record's field, without the None of an optional one."""
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    present = [option for option in options if option is not NoneType]
    kind: type = present[0] if present else annotation
    return kind
