"""A folder of this user's in the temporary folder: for sockets and links, which need short and plain paths.

What belongs here: making it so that nobody else can enter it or have made it, what goes into it under which name, and
removing what is left there.
What does not: the socket's server, and who needs a link.
"""

from __future__ import annotations

import glob
import os
import stat
import tempfile
import uuid
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.owners import name_of

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")
"""What a path may hold to mean the same in an address, a shell and a pattern."""
SOCKETS = Path("/proc/net/unix")
LONGEST = 83
"""Bytes of the path of a socket's folder: with the socket's name it has 100; the kernel takes 107, macOS 103."""


def is_fit(folder: Path) -> bool:
    """Return whether a socket can be in a folder, under an address that every library reads alike."""
    return len(os.fsencode(folder)) <= LONGEST and set(str(folder)) <= PLAIN


def runtime_folder(uid: int) -> Path:
    """Return the path of the folder of a user, in which names of 16 characters are fit for sockets."""
    folder = Path(tempfile.gettempdir()) / f"olist-{uid}"
    return folder if is_fit(folder / ("0" * 16)) else Path("/tmp") / folder.name


def name_in_it(path: Path) -> str:
    """Return the name that stands for `path` in it."""
    return blake2b(os.fsencode(path), digest_size=8).hexdigest()


def private_folder(folder: Path, uid: int, gid: int) -> Path:
    """Make a folder that only one user can enter; raises OlistError where somebody else has made it."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise OlistError(
            f"{folder}, which must belong to {name_of(uid)} alone, belongs to {name_of(found.st_uid)}: remove it, set "
            "TMPDIR to another folder, or set OLIST_HOME to a shorter, plain path."
        )
    folder.chmod(0o700)
    return folder


def remove_left(folder: Path) -> None:
    """Remove from the folder of a user the sockets that killed processes left, and links to what is gone.

    Linux alone says who listens at which socket; elsewhere they stay.
    """
    with suppress(OSError):
        found = list(folder.iterdir())
        for path in found:
            if path.is_symlink() and not path.exists():
                path.unlink(missing_ok=True)
        listening = SOCKETS.read_text("utf-8", "replace")
        for path in found:
            if path.is_socket() and path.name not in listening:
                path.unlink(missing_ok=True)


def path_without_pattern(folder: Path) -> Path:
    """Return a path of `folder` for a program that takes what it is given for a pattern: a link where it would be one.

    Raises OlistError where the folder of the links is somebody else's.
    """
    if not glob.has_magic(str(folder)):
        return folder
    links = private_folder(runtime_folder(os.geteuid()), os.geteuid(), os.getegid())
    remove_left(links)
    link = links / name_in_it(folder)
    if not link.is_symlink() or link.readlink() != folder:
        new = links / uuid.uuid4().hex
        new.symlink_to(folder, target_is_directory=True)
        new.replace(link)
    return link
