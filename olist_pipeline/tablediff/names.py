"""Names as people write them in a command: lists, qualified names, and what stands behind a name.

Belongs here: quoting as in SQL, and the sentence for a name that is not there. Does not belong here: writing names into
SQL (`sql.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from olist_pipeline import near
from olist_pipeline.tablediff.contract import ContractError
from olist_pipeline.tablediff.sql import quote

QUOTED = r'"((?:[^"]|"")+)"'


def split_names(text: str, separator: str) -> tuple[str, ...]:
    """Return names with a separator between them; one that holds the separator stands in double quotes.

    Quotes within quotes are doubled: `"a,b",c` are two names. Raises ContractError for what is no such list.
    """
    mark = re.escape(separator)
    names: list[str] = []
    rest, end = text, separator
    while end:
        found = re.match(rf'\s*(?:{QUOTED}|([^"{mark}][^{mark}]*))\s*({mark}|$)', rest)
        if found is None:
            raise ContractError(
                f"Cannot tell the names in {text} apart: put '{separator}' between them, and a name that holds it in"
                " double quotes, as in SQL; in a shell, with single quotes around it all (e.g. '\"a,b\",c')."
            )
        quoted, bare, end = found.groups()
        names.append(quoted.replace('""', '"') if quoted else bare.strip())
        rest = rest[found.end() :]
    return tuple(names)


def joined_names(*names: str) -> str:
    """Return the text of a qualified name as a person writes it; `split_names` takes it apart again."""
    return ".".join(quote(name) if re.search(r'[."]', name) or name != name.strip() else name for name in names)


def split_assignment(text: str) -> tuple[str, str] | None:
    """Return the name and the value of `NAME=VALUE`, None where it is none; a name with '=' stands in double quotes."""
    if found := re.fullmatch(rf"\s*{QUOTED}\s*=(.*)", text, re.DOTALL):
        return found[1].replace('""', '"'), found[2].strip()
    name, separator, value = text.partition("=")
    return (name.strip(), value.strip()) if separator and name.strip() else None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence on a name that is not there: the name that was meant, or those that there are."""
    names = list(known)
    if close := near.nearest(name, names):
        meant = near.visible_name(close)
        return f"did you mean {meant}?" if meant != close else f"did you mean '{meant}'?"
    return f"there are: {near.listed(names)}." if names else "there are none."
