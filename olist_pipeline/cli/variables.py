"""`--vars`: variables of a dbt project on the command line, as dbt takes them.

What belongs here: reading that text. What does not: what the variables do.
"""

from __future__ import annotations

from typing import Any

from olist_pipeline.errors import OlistError


def variables_of(text: str | None) -> dict[str, Any]:
    """Return the variables that a text of YAML names, JSON among it; raises OlistError for what is no mapping."""
    if not text:
        return {}
    from olist_pipeline import yaml_text

    try:
        given = yaml_text.parse(text)
    except yaml_text.YamlError as error:
        raise OlistError(f"--vars cannot be read as YAML ({error}); write it as '{{key: value}}'.") from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise OlistError("--vars must be a mapping of names to values; write it as '{key: value}'.")
    return {str(name): value for name, value in given.items()}
