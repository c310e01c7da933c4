"""What a test of dbt's proves, in words: the description of its check in the UI.

What belongs here: one sentence a generic test, from its arguments. What does not: the tests themselves (dbt's YAML and
`dbt/tests/generic`), and their results (`dbt_results`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]


def said_of(props: Mapping[str, Any]) -> str:
    """Return what a test proves; `props` is its node of the manifest.

    A description of its own wins. A test that nobody has words for is called by its name and arguments.
    """
    if written := str(props.get("description") or "").strip():
        return written
    generic = props.get("test_metadata") or {}
    name = str(generic.get("name") or props["name"])
    arguments = {key: value for key, value in (generic.get("kwargs") or {}).items() if key != "model"}
    column = str(arguments.get("column_name") or props.get("column_name") or "")
    sentence = _SENTENCES[name](column, arguments) if name in _SENTENCES else _by_name(name, column, arguments)
    severity = str(props["config"].get("severity") or "error").lower()
    return f"{sentence} It warns, and stops nothing." if severity == "warn" else sentence


def _by_name(name: str, column: str, arguments: Arguments) -> str:
    listed = ", ".join(f"{key} {value}" for key, value in arguments.items() if key != "column_name")
    about = f" of {column}" if column else ""
    return f"{name.replace('_', ' ').capitalize()}{about}{f': {listed}' if listed else ''}."


def _relationship(column: str, arguments: Arguments) -> str:
    other = str(arguments.get("to")).removeprefix("ref('").removesuffix("')")
    return f"Every {column} that is not null is a {arguments.get('field')} of {other}."


def _accepted(column: str, arguments: Arguments) -> str:
    return f"{column} is one of: {', '.join(map(str, arguments.get('values') or ()))}."


_SENTENCES: dict[str, Callable[[str, Arguments], str]] = {
    "not_null": lambda column, _: f"{column} has a value in every row.",
    "unique": lambda column, _: f"No {column} is there twice.",
    "relationships": _relationship,
    "accepted_values": _accepted,
    "unique_combination": lambda _, said: f"No combination of {', '.join(said['columns'])} is there twice.",
    "adds_up": lambda column, said: f"{column} is the exact sum of {said['part']} by {said['key']}.",
    "always_is": lambda column, said: f"{column} is {said['value']} in every row.",
    "matches": lambda column, said: f"{column} is wholly of the pattern {said['pattern']}.",
    "within": lambda column, said: f"{column} lies between {said['least']} and {said['greatest']}, both included.",
    "not_negative": lambda column, _: f"{column} is never below 0.",
}
