"""The structural rules: the codes of rows that are not in order before any business rule is asked.

What belongs here: each code with its statement, once. What does not: finding the rows that break one (`cast` and
`rows` here, `validation` for rows that are rejected for the sake of others), and business rules (`olist_domain`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StructuralRule:
    """One structural rule; a row that breaks it is rejected. Its statement says what must hold.

    `code` may end in a blank, e.g. MISSING_<COLUMN>, which `of` fills in.
    """

    code: str
    statement: str

    def of(self, name: str) -> str:
        """Return the code of a column or table, e.g. MISSING_ORDER_ID."""
        return self.code.partition("<")[0] + name.upper()

    def covers(self, code: str) -> bool:
        """Return whether `code` is this rule's, with or without its blank filled in."""
        stem, blank, _ = self.code.partition("<")
        return code == self.code or (blank != "" and code.startswith(stem) and code != stem)


MALFORMED_ROW = StructuralRule("MALFORMED_ROW", "A record has as many cells as its file's header has columns.")
TRUNCATED_ROW = StructuralRule(
    "TRUNCATED_ROW", "A file that ends in a number or an empty cell ends its line: else the rest may have been cut off."
)
REPEATED_HEADER = StructuralRule(
    "REPEATED_HEADER", "A record is no second header, as files have that were joined end to end."
)
MISSING = StructuralRule("MISSING_<COLUMN>", "A required cell is not empty.")
UNPARSEABLE = StructuralRule("UNPARSEABLE_<COLUMN>", "A cell says a value of its column's type, exactly.")
DUPLICATE_KEY = StructuralRule(
    "DUPLICATE_KEY", "A row shares its key with no other: nobody can tell which of them is true."
)
ORDER_MONTH_OUT_OF_RANGE = StructuralRule(
    "ORDER_MONTH_OUT_OF_RANGE",
    "A date that gives a row its month is not before its table's first, and not in the future.",
)
ORPHAN = StructuralRule("ORPHAN_<TABLE>", "What a row of the table belongs to is in landing.")
PARENT_REJECTED = StructuralRule("PARENT_REJECTED", "What a row belongs to is accepted.")
CHILD_REJECTED = StructuralRule("CHILD_REJECTED", "All parts of an aggregate are accepted.")
FOR_OTHERS = (PARENT_REJECTED.code, CHILD_REJECTED.code)

STRUCTURAL_RULES = (
    MALFORMED_ROW,
    TRUNCATED_ROW,
    REPEATED_HEADER,
    MISSING,
    UNPARSEABLE,
    DUPLICATE_KEY,
    ORDER_MONTH_OUT_OF_RANGE,
    ORPHAN,
    PARENT_REJECTED,
    CHILD_REJECTED,
)
"""All of them, in the order in which a row meets them."""
