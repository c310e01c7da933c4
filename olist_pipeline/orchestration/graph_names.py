"""Names of relations and contexts in the graph: dbt and DuckDB take any letter and sign, and Dagster some of them.

What belongs here: the asset key of a relation, the relation of such a key, and the group of a context. What does not:
which relations the graph has (`dbt`), and how they depend on each other (`dbt_keys`).
"""

from __future__ import annotations

import re

import dagster as dg

_FOREIGN = re.compile(r"[^A-Za-z0-9_]")
"""What is written as its number. Dagster takes dots and dashes, and takes `a-b` and `a_b` for one name in a step."""
_WRITTEN = re.compile(r"-x([0-9a-f]+)-")


def relation_key(tree: str, *names: str) -> dg.AssetKey:
    """Return the asset key of a relation; a sign that is no letter of ASCII is its number, `-x20-` for a blank."""
    return dg.AssetKey([tree, *(_FOREIGN.sub(lambda found: f"-x{ord(found[0]):x}-", name) for name in names)])


def relation_of_key(key: dg.AssetKey) -> tuple[str, ...]:
    """Return the tree and the names of the relation that `relation_key` made a key of."""
    return tuple(_WRITTEN.sub(lambda found: chr(int(found[1], 16)), part) for part in key.path)


def group_of(context: str | None) -> str | None:
    """Return the group of a context; it may be called like a folder, and is none where it is not said."""
    return context and _FOREIGN.sub("_", context)
