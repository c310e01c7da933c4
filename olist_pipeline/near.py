"""Names that people type, and the one that they may have meant.

What belongs here: the sentence of a name that there is not, and showing what is near enough to be taken for another.
What does not: which names there are.
"""

from __future__ import annotations

from collections.abc import Collection

from olist_pipeline.errors import OlistError

MOST, LONGEST = 10, 60
"""So many names, and so many characters of each, are shown of those that a file may have thousands of."""


def nearest(given: str, known: Collection[str]) -> str | None:
    """Return the name among `known` that is written most like the given one; None where none is."""
    from difflib import get_close_matches  # a rollback, which is right most of the time, does not wait for it

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(given.lower(), by_lower, 1)
    return by_lower[near[0]] if near else None


def visible_name(name: str) -> str:
    """Return a name or an id, with quotes and codes where one does not see it whole: blanks around it, marks, none."""
    return name if name and name.isprintable() and name == name.strip() else ascii(name)


def listed(names: Collection[str]) -> str:
    """Return names as a sentence has room for them: the first ones, each cut where it is long (see `visible_name`)."""
    shown = [visible_name(name if len(name) <= LONGEST else f"{name[:LONGEST]}...") for name in list(names)[:MOST]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def unknown(kind: str, given: str, known: Collection[str]) -> OlistError:
    """Return the error of a name that is none of `known`: it names the nearest, or all of them."""
    near = nearest(given, known)
    meant = f"did you mean {near}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}."
    return OlistError(f"There is no {kind} {given!r}; {meant}")
