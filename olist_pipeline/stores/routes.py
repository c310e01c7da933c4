"""Routes: what serving reads for each context, who changed that, and the history of changes.

What belongs here: reading routes and recording acts, each once. What does not: whether an act is allowed (the gate
says), and its effect on what is served (`serving`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from olist_pipeline.release_manifest import Route
from olist_pipeline.stores.postgres import query, transaction

Action = Literal["shadow", "cutover", "rollback", "retire", "restore", "acknowledge"]

FIRST_ROUTE: Route = "shadow"
"""A context that is in the graph runs beside the old one, and is compared, from its first day."""

NEXT_ROUTES: Mapping[Route, tuple[Route, ...]] = {
    "old": ("shadow",),
    "shadow": ("new", "old"),
    "new": ("old", "retired"),
    "retired": ("new",),
}
"""The legal transitions: nothing is served from new that was not compared before, and no step is left out."""

SERVED_FROM_NEW: tuple[Route, ...] = ("new", "retired")
"""The routes on which serving reads the new tables."""


@dataclass(frozen=True)
class Change:
    """One context's route before and after an act; the same on both sides where only its block was lifted."""

    context: str
    former: Route
    route: Route


@dataclass(frozen=True)
class Act:
    """What somebody did to routes at one moment, with its reason.

    `release` is what `current` points to from then on, None where nothing that is served changed. `overridden` are
    the objections that were overruled. `blocks` says that another cutover of the first context waits for somebody's
    acknowledgement.
    """

    act_id: str
    action: Action
    changes: tuple[Change, ...]
    acted_at: str
    acted_by: str
    reason: str
    release: int | None = None
    parity_run: str | None = None
    overridden: tuple[str, ...] = ()
    blocks: bool = False

    @property
    def blocked(self) -> str | None:
        """The context that the act blocks, if any."""
        return self.changes[0].context if self.blocks else None

    def to_dict(self) -> dict[str, Any]:
        """Return the act as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Act:
        """Return the act of `to_dict`, without what a later version may have written besides."""
        known = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        changes = tuple(
            Change(*(change[name] for name in ("context", "former", "route"))) for change in values["changes"]
        )
        return cls(**{**known, "changes": changes, "overridden": tuple(values["overridden"])})


@dataclass(frozen=True)
class RouteState:
    """The route of each context, and why those that are blocked wait for an acknowledgement."""

    routes: dict[str, Route] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)

    def after(self, act: Act) -> RouteState:
        """Return the state once `act` is done."""
        routes, blocked = dict(self.routes), dict(self.blocked)
        for change in act.changes:
            routes[change.context] = change.route
            if act.blocked == change.context:
                blocked[change.context] = act.reason
            elif act.action == "acknowledge":
                blocked.pop(change.context, None)
        return RouteState(routes, blocked)


def read_routes(url: str, contexts: Iterable[str]) -> dict[str, Route]:
    """Return the route of each of `contexts`."""
    rows = query(url, "SELECT context, route FROM migration.routes")
    routes = {row["context"]: row["route"] for row in rows}
    return {context: routes.get(context, FIRST_ROUTE) for context in contexts}


def record(url: str, acts: Iterable[Act]) -> int:
    """Record those of `acts` that are not recorded yet, in their order; return how many there were.

    The routes and their history change together, so recording an act again does nothing.
    """
    given = list(acts)
    if not given:
        return 0
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE migration.routes IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            "SELECT act_id::text FROM migration.route_history WHERE act_id = ANY(%s::uuid[])",
            ([act.act_id for act in given],),
        )
        known = {act_id for (act_id,) in cursor.fetchall()}
        missing = [act for act in given if act.act_id not in known]
        for act in missing:
            for change in act.changes:
                cursor.execute(_UPSERT, _parameters(act, change))
    return len(missing)


def history(url: str, context: str | None = None) -> list[dict[str, Any]]:
    """Return the changes of one context's route or of all, oldest first, as columns of `migration.route_history`."""
    return query(
        url,
        "SELECT * FROM migration.route_history WHERE %(context)s IS NULL OR context = %(context)s ORDER BY change_id",
        {"context": context},
    )


def last_rollbacks(url: str) -> dict[str, datetime]:
    """Return by context when it was rolled back last, for those that ever were.

    Where a clock went ahead, that is in the future still: it was not after what was done to the context later.
    """
    rows = query(url, _LAST_ROLLBACKS)
    return {row["context"]: row["at"] for row in rows}


_LAST_ROLLBACKS = """
WITH last AS (
    SELECT DISTINCT ON (context) context, change_id, changed_at
    FROM migration.route_history WHERE action = 'rollback' ORDER BY context, change_id DESC
)
SELECT context, CASE WHEN last.changed_at > now() THEN (
    SELECT min(h.changed_at) FROM migration.route_history h
    WHERE h.context = last.context AND h.change_id >= last.change_id
) ELSE last.changed_at END AS at
FROM last
"""


def recorded_acts(url: str) -> list[Act]:
    """Return all acts that were recorded, in their order; what PostgreSQL does not keep of one has its default."""
    acts: dict[str, Act] = {}
    for row in query(url, "SELECT * FROM migration.route_history WHERE act_id IS NOT NULL ORDER BY change_id"):
        change = Change(row["context"], row["old_route"] or FIRST_ROUTE, row["new_route"])
        act = acts.get(str(row["act_id"]))
        acts[str(row["act_id"])] = Act(
            act_id=str(row["act_id"]),
            action=row["action"],
            changes=(*(act.changes if act else ()), change),
            acted_at=row["changed_at"].isoformat(),
            acted_by=row["changed_by"],
            reason=row["reason"],
            release=row["release"],
            parity_run=row["parity_run"],
            overridden=tuple(row["overridden"]),
            blocks=act.blocks if act else row["action"] == "rollback" and row["blocked"] == row["reason"],
        )
    return list(acts.values())


def record_release(url: str, contexts: Iterable[str], release: int) -> None:
    """Note which release serves `contexts` now, without a change of their routes."""
    with transaction(url) as connection, connection.cursor() as cursor:
        for context in contexts:
            cursor.execute(
                "UPDATE migration.routes SET release = %s WHERE context = %s AND release IS DISTINCT FROM %s",
                (release, context, release),
            )


def _parameters(act: Act, change: Change) -> dict[str, Any]:
    return {
        **vars(act),
        **vars(change),
        "overridden": list(act.overridden),
        "blocks": act.blocked == change.context,
        "lifts": act.action == "acknowledge",
    }


_UPSERT = """
INSERT INTO migration.routes AS present (
    context, route, release, changed_at, changed_by, reason, act_id, action, parity_run, overridden, blocked
) VALUES (
    %(context)s, %(route)s, %(release)s, %(acted_at)s, %(acted_by)s, %(reason)s, %(act_id)s, %(action)s,
    %(parity_run)s, %(overridden)s, CASE WHEN %(blocks)s THEN %(reason)s END
)
ON CONFLICT (context) DO UPDATE SET
    route = excluded.route, release = coalesce(excluded.release, present.release), changed_at = excluded.changed_at,
    changed_by = excluded.changed_by, reason = excluded.reason, act_id = excluded.act_id, action = excluded.action,
    parity_run = excluded.parity_run, overridden = excluded.overridden,
    blocked = CASE WHEN %(blocks)s THEN excluded.blocked WHEN NOT %(lifts)s THEN present.blocked END
"""
