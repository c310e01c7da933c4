"""Places: where in landing a row is, whose table may be one file or many parts.

What belongs here: the column that says a row's file, and reading it. What does not: numbering rows (`parts`).
"""

SOURCE_FILE = "source_file"
"""Of a table in parts: the part that a row is in, and after an @ the number of records before that part."""


def place_of(file: str, row: int) -> tuple[str, int]:
    """Return the file that a quarantined row is in, and its number there, from its `source_file` and `source_row`."""
    name, at, offset = file.rpartition("@")
    return (name, row - int(offset)) if at and offset.isdecimal() else (file, row)
