"""Owners: whose a home is, and that nobody else writes in it.

What belongs here: what the system says of users and of what is theirs. What does not: which home a database belongs to
(`stores.home`).
"""

from __future__ import annotations

import os
import pwd
import uuid
from pathlib import Path

from olist_pipeline.errors import OlistError

MADE_BY_OWNER = ("serving", "locks")
"""Folders of a home that whoever runs it makes: the home itself may be a mount, and so be anybody's."""


def name_of(uid: int) -> str:
    """Return what a person calls a user."""
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user number {uid}"


def refuse_stranger(home: Path) -> None:
    """Raise OlistError where the home is another user's, who could not read what this one would write there.

    Root is no exception: what it leaves is closed to the owner, too.
    """
    made = next((folder for name in MADE_BY_OWNER if (folder := home / name).is_dir()), None)
    if made is None or (owner := made.stat().st_uid) == os.geteuid() or _would_share(made, owner):
        return
    raise OlistError(
        f"The home {home} belongs to {name_of(owner)}, and this is {name_of(os.geteuid())}: run the command as its "
        "owner, or set OLIST_HOME to a folder of yours."
    )


def _would_share(folder: Path, owner: int) -> bool:
    """Return whether what is made in a folder is its owner's, or open to other writers.

    Some disks know no owners: all that is there is one user's, whoever made it. And a folder may have an access list
    that is inherited, whatever the umask says.
    """
    probe = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        probe.touch()
    except PermissionError:
        return False
    found = probe.stat()
    probe.unlink()
    return found.st_uid == owner or bool(found.st_mode & 0o020)
