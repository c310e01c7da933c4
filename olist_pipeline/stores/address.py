"""The address of a given server: read strictly, with a password from a file where one is named, and never shown.

What belongs here: what OLIST_POSTGRES_URL may look like. What does not: connecting, and the embedded server's address.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2.extensions import parse_dsn

from olist_pipeline.errors import OlistError

# No sentence shows the address: in a malformed one a part of the password may stand anywhere.
_MALFORMED = (
    "OLIST_POSTGRES_URL must look like postgresql://user:password@host:5432/database; write other characters than "
    "letters, digits, '-', '.', '_' and '~' of its parts as percent codes (@ is %40, : is %3A, / is %2F, % is %25)"
)


def read_address(url: str, password_file: Path | None = None) -> str:
    """Return the address that PostgreSQL and Dagster read alike: user, password and database, all else in the query.

    `password_file` holds the password alone, but for a line end. Raises OlistError for a malformed address and for a
    file that cannot be read.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise OlistError(f"{_MALFORMED}; it begins otherwise.")
    user, has_user, _ = rest.rpartition("@")
    if has_user and set(user) & set("@/?#[] "):
        raise OlistError(f"{_MALFORMED}; what stands before its last @ is no user and password.")
    try:
        parts = {name: str(value) for name, value in parse_dsn(f"postgresql://{rest}").items()}
    except (psycopg2.Error, UnicodeError):  # percent codes may be of no text in UTF-8
        raise OlistError(f"{_MALFORMED}; PostgreSQL cannot read it.") from None
    if not all(port.isdigit() or not port for port in parts.get("port", "").split(",")):
        raise OlistError(f"{_MALFORMED}; its port is no number.")
    if password_file is not None:
        if parts.get("password"):
            raise OlistError(
                "OLIST_POSTGRES_URL has a password, and OLIST_POSTGRES_PASSWORD_FILE names another; leave one out."
            )
        parts["password"] = password_of(password_file, "OLIST_POSTGRES_PASSWORD_FILE")
    return _written(parts)


def _written(parts: dict[str, str]) -> str:
    rest = dict(parts)
    user, password, database = (quote(rest.pop(name, ""), safe="") for name in ("user", "password", "dbname"))
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    # Hosts are in the query, where sockets and several servers can be said, too.
    query = urlencode(rest, quote_via=quote, safe="")
    return f"postgresql://{who}/{database}{'?' if query else ''}{query}"


def password_of(path: Path, named_by: str) -> str:
    """Return the password that a file holds; raises OlistError, with what `named_by` names it, where there is none."""
    try:
        password = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text in UTF-8"
        raise OlistError(f"{named_by}, {path}, cannot be read: {reason}.") from None
    if not password or not password.isprintable():
        raise OlistError(f"{named_by}, {path}, must hold the password alone, on one line.")
    return password
