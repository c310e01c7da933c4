"""Values as a source gives them: equal to those that the code names, and never the same object."""

from datetime import datetime
from decimal import Decimal


def fresh(value):
    """Return an equal value that is another object, as one that was read from a file; what is no cell as it is."""
    if isinstance(value, str):
        return str(value.encode(), "utf-8")
    if isinstance(value, Decimal):
        return Decimal(str(value))
    if isinstance(value, datetime):
        return datetime.fromisoformat(value.isoformat())
    return int(str(value)) if type(value) is int else value


def fresh_cells(cells):
    """Return the same cells, by name, with values of their own."""
    return {name: fresh(value) for name, value in cells.items()}
