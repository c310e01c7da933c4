"""Stored verdicts: the report of a comparison as the database gives it back.

What belongs here: making whole what the store leaves out. What does not: comparing (`attribution`), and showing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def complete_report(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored JSON form of a verdict with all that `TableParity.to_dict` has.

    A report of an earlier version lacks what that version did not look for, and the store keeps no order of columns.
    """
    report = {"effects": None, "approvals": [], "months": None, **stored}
    return {**report, **{name: _in_order(report[name]) for name in ("old_and_new", "replay_and_new")}}


def _in_order(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored comparison whose sample rows have their columns in the order of the table, the key first."""
    compared = [column["column"] for column in comparison["columns"]]

    def row(cells: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if cells is None:
            return None
        key = [name for name in cells if name not in compared]
        return {name: cells[name] for name in (*key, *compared) if name in cells}

    return {
        "notes": [],
        **comparison,
        **{
            name: [
                {"unequal": _other_texts(sample), **sample, "old": row(sample["old"]), "new": row(sample["new"])}
                for sample in comparison[name]
            ]
            for name in ("unequal_samples", "only_in_old_samples", "only_in_new_samples")
        },
    }


def _other_texts(sample: Mapping[str, Any]) -> list[str]:
    """Return the columns in which a stored sample shows two texts: all that an earlier version can tell of."""
    old, new = sample["old"] or {}, sample["new"] or {}
    return [name for name in old if name in new and old[name] != new[name]]
