"""What a person reads of PostgreSQL's errors: a sentence, and what to do.

What belongs here: the one classification of errors of the server and of the way there. What does not: connections
(`postgres`), and who holds a lock that was waited for (`locks`).
"""

from __future__ import annotations

import re

import psycopg2

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings

LOCK_SECONDS = 5
"""A statement waits so long for a lock; nothing of ours holds one for longer."""


def trouble(error: psycopg2.Error, blocker: str = "") -> OlistError | None:
    """Return what a person reads of an error of the server's or of the way there; None where a program is wrong.

    `blocker` says who held the lock that was waited for, where somebody looked (see `locks`).
    """
    reason = _reason(error)
    if error.pgcode is None:
        is_lost = isinstance(error, psycopg2.OperationalError) or "connection already closed" in reason
        sentence = _connection_trouble(reason) if is_lost else ""
    elif error.pgcode == "55P03":
        sentence = f"A lock was not free in time: {blocker or _NO_BLOCKER}"
    else:
        said = _TROUBLES.get(error.pgcode) or _TROUBLES_OF_CLASSES.get(error.pgcode[:2], "")
        sentence = said.format(reason=reason)
    return OlistError(sentence) if sentence else None


def refused(error: psycopg2.OperationalError) -> OlistError:
    """Return what a person reads of a connection that could not be made."""
    return OlistError(_connection_trouble(_reason(error)))


_SAID_BY_SERVER = re.compile(r"^(?:.* failed: )?(?P<severity>[^\s:(][^:]{2,24}):  (?P<words>\S.*)$")
"""A line that a server has said, not libpq: a word for its severity in the server's language, and two blanks."""


def _reason(error: psycopg2.Error) -> str:
    """Return the line that says most: of several hosts, or addresses of one, the first that answered."""
    lines = str(error).strip().splitlines() or [""]
    if error.pgcode is None:
        return next((line for line in lines if _SAID_BY_SERVER.match(line)), lines[0])
    return lines[0]


_NO_BLOCKER = "whoever held it is gone, or could not be seen; run again."

_LACKING = (
    "The database lacks a part of the schema or the role does not see it ({reason}): `olist db status` has its version,"
    " `olist db roles --sql` what the role needs."
)

_TROUBLES = {
    "22P05": "The database cannot hold a text ({reason}); take one that is made with ENCODING 'UTF8'.",
    "25006": (
        "PostgreSQL takes no changes ({reason}); point OLIST_POSTGRES_URL to the primary server, or lift the"
        " default_transaction_read_only of its database or role."
    ),
    "25P03": "PostgreSQL ended a transaction in which nothing happened for long ({reason}); run again.",
    "25P04": "PostgreSQL ended a transaction ({reason}); run again, with a longer transaction_timeout, or none.",
    "40001": "PostgreSQL ended a statement that was in the way of another ({reason}); run again.",
    "40P01": "Another process changed the same rows ({reason}); run again.",
    "3F000": _LACKING,
    "42501": (
        "The role of OLIST_POSTGRES_URL may not do this ({reason}); `olist db migrate` is for the owner, and"
        " `olist db roles --sql` prints what other roles need."
    ),
    "42703": _LACKING,
    "42883": _LACKING,
    "42P01": _LACKING,
    "53100": "PostgreSQL's disk is full; free space and run again.",
    "53200": (
        "PostgreSQL is out of memory ({reason}); run again when it has some, give it more, or raise"
        " max_locks_per_transaction where it says shared memory."
    ),
    "53300": (
        "PostgreSQL has no connection left ({reason}); end other programs, or raise max_connections, or the CONNECTION"
        " LIMIT where it names a role or a database."
    ),
    "57014": "PostgreSQL ended a statement ({reason}); run again, with a longer statement_timeout if it needs one.",
    "57P01": "PostgreSQL was stopped, or ended this connection ({reason}); run again when it is up.",
    "57P02": "PostgreSQL crashed ({reason}); run again when it is up.",
    "57P03": "PostgreSQL is starting or stopping ({reason}); run again in a moment.",
    "P0001": (
        "A trigger or function of the database refuses this ({reason}); where it is not this program's, let its"
        " administrator exempt the schemas data_quality, event_store, migration and public."
    ),
}
"""What is said of an error, by its code (SQLSTATE)."""

_TROUBLES_OF_CLASSES = {
    "0A": "The server cannot do what is needed ({reason}); docs/postgres.md says which one can.",
    "08": "The connection to PostgreSQL failed ({reason}); run again when it is up.",
    "53": "PostgreSQL lacks what it needs ({reason}); give it more, or free some, and run again.",
    "54": "The server cannot hold something so large or complex ({reason}).",
    "55": "The database is not in a state for this ({reason}); its administrator can mend that.",
    "57": "PostgreSQL was interrupted ({reason}); run again when it is up.",
    "58": "PostgreSQL has trouble with its files or its machine ({reason}); its log says more.",
    "XX": "PostgreSQL has an error of its own, or damaged data ({reason}); its log says more.",
}
"""What is said of any other error, by the class of its code: all of it is the server's, and none the program's."""

# Without PostgreSQL's words: they hold a part of the address, and so of a password that was not encoded.
UNREADABLE = (
    "PostgreSQL cannot read OLIST_POSTGRES_URL: it must look like postgresql://user:password@host/database,"
    " with special characters of the password percent-encoded."
)

_REFUSALS = (
    (
        'invalid .*value: |version range|for connection option "(?!port")|may not be used with|could not load',
        "A parameter of {url}, or of one of libpq's variables, cannot be used ({reason}); mend either.",
    ),
    ('^invalid |host name ".*@', UNREADABLE),
    (
        "password authentication failed",
        "PostgreSQL refuses the user or the password, which may have expired ({reason}); mend {url} or the role.",
    ),
    ("no password supplied", "PostgreSQL asks for a password, and {url} has none."),
    ("no pg_hba.conf entry", "PostgreSQL lets nobody in from here this way ({reason}); add a line to its pg_hba.conf."),
    ("authentication failed", "PostgreSQL refuses the user ({reason}); mend {url} or the server's pg_hba.conf."),
    (r'^role ".*" does not exist', "PostgreSQL does not know the user ({reason}); mend {url}."),
    (r'^database ".*" does not exist', "PostgreSQL has no such database ({reason}); create it, or mend {url}."),
    ("permission denied for database", "The user of {url} may not connect ({reason}); GRANT CONNECT to it."),
    ("too many|connection slots are reserved|no more connections", _TROUBLES["53300"]),
    ("could not write init file", _TROUBLES["53100"]),
    ("could not fork new process", _TROUBLES_OF_CLASSES["53"]),
    ("database system is", _TROUBLES["57P03"]),
    (
        "terminating connection|server closed the connection|connection already closed|SSL connection has been closed"
        "|SSL SYSCALL error: (EOF|Connection reset)|could not (send|receive) data",
        _TROUBLES["57P01"],
    ),
    ("service file|definition of service", "PGSERVICE, or the service of {url}, leads nowhere ({reason}); mend it."),
    (
        "session is (not )?read-only|hot standby mode",
        "No server of {url} is what target_session_attrs or PGTARGETSESSIONATTRS asks for ({reason}); mend either.",
    ),
    (
        "authentication method requirement|channel binding|GSSAPI encryption",
        "The server does not offer what {url} or a variable of libpq's demands ({reason}); mend either.",
    ),
    ("unsupported startup parameter", "The pooler refuses a setting ({reason}); see PgBouncer in docs/postgres.md."),
)
"""What is said of a connection that the server refuses, by words of its reason: there it tells no code."""


def _connection_trouble(reason: str) -> str:
    said = _SAID_BY_SERVER.match(reason)
    refusal = said["words"] if said else reason
    for words, sentence in _REFUSALS:
        if re.search(words, refusal):
            return sentence.format(reason=refusal, url="OLIST_POSTGRES_URL")
    if re.search("SSL|certificate|private key file", refusal):
        return f"The encrypted connection to PostgreSQL fails ({reason}); see TLS in docs/postgres.md."
    if said:
        return f"PostgreSQL refuses the connection ({refusal}); mend OLIST_POSTGRES_URL or the server."
    if Settings.from_env().postgres_url is None:
        return (
            f"The embedded PostgreSQL does not answer ({reason}); run again, and end what else uses this OLIST_HOME"
            " first if that does not help."
        )
    return f"PostgreSQL does not answer ({reason}); start it, or unset OLIST_POSTGRES_URL for the embedded one."
