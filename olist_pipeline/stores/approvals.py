"""Approvals: differences of old and new that a person took on themselves, each with a reason and an end.

What belongs here: giving, revoking and reading approvals. What does not: what an approval covers (see
`parity.attribution`), and what a gate makes of one that has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.stores.postgres import query, transaction


@dataclass(frozen=True)
class Approval:
    """One approval: the cells of a table's column may differ until the end of the day `until`."""

    approval_id: int
    table: str
    column: str
    reason: str
    until: date
    approved_by: str
    approved_at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    def is_active(self, today: date) -> bool:
        """Whether the approval holds on `today`: it has neither ended nor been revoked."""
        return self.revoked_at is None and today <= self.until

    def state(self, today: date) -> str:
        """Return `active`, `ended` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.is_active(today) else "ended"

    def sentence(self) -> str:
        """Say what is approved, by whom, until when and why."""
        return (
            f"Differences of {self.table}.{self.column} are approved until {self.until} by {self.approved_by}"
            f" (approval {self.approval_id}): {self.reason}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the approval as JSON-ready values."""
        return {name: str(value) if isinstance(value, date) else value for name, value in vars(self).items()}


def approve(url: str, *, table: str, column: str, reason: str, until: date, approved_by: str, today: date) -> Approval:
    """Record an approval and return it; raises OlistError without a reason, or for an end that has passed."""
    if not reason.strip():
        raise OlistError("An approval needs a reason: say why the difference may stand.")
    if until < today:
        raise OlistError(f"The approval would have ended on {until}; give a day from {today} on.")
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO migration.approvals (table_name, column_name, reason, until, approved_by) "
            "VALUES (%s, %s, %s, %s, %s) RETURNING approval_id, approved_at",
            (table, column, reason.strip(), until, approved_by),
        )
        [approval_id, approved_at] = cursor.fetchone() or ()
    return Approval(approval_id, table, column, reason.strip(), until, approved_by, approved_at)


def revoke(url: str, approval_id: int, *, revoked_by: str) -> None:
    """End an approval now; raises OlistError where there is none of that number, or it was revoked before."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE migration.approvals SET revoked_by = %s, revoked_at = now() "
            "WHERE approval_id = %s AND revoked_at IS NULL",
            (revoked_by, approval_id),
        )
        if not cursor.rowcount:
            raise OlistError(f"There is no approval {approval_id} to revoke; `olist parity approvals` lists them.")


def all_approvals(url: str) -> list[Approval]:
    """Return all approvals ever given, oldest first."""
    rows = query(
        url,
        'SELECT approval_id, table_name AS "table", column_name AS "column", reason, until, approved_by, approved_at, '
        "revoked_by, revoked_at FROM migration.approvals ORDER BY approval_id",
    )
    return [Approval(**row) for row in rows]


def active(url: str, today: date) -> list[Approval]:
    """Return the approvals that hold on `today`, oldest first."""
    return [approval for approval in all_approvals(url) if approval.is_active(today)]
