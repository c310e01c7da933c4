"""Files: writes that are whole or not at all, who may read them, and content hashes.

What belongs here: what every writer of files in the project shares. What does not: any file format.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import lock_file

_PRIVATE = 0o077
_given_umask: int | None = None


_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How Polars ends what the system says, whose number it does not hand on."""
_NO_RIGHT = "give this user the right to it"
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a disk says that holds no links: FAT, exFAT, and some that are mounted over a network."""
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OF_MACHINE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space"),
    errno.EFBIG: "raise the limit of a file's size (ulimit -f), or take a disk that holds larger ones",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "end other programs, which have too many files open",
    errno.ENOMEM: "end other programs, raise the limit of memory (ulimit -v), or take a larger machine",
    errno.EAGAIN: "end other programs of this user, or raise the limit of its processes (ulimit -u)",
}
"""What to do about what the machine lacks, whoever finds it; nothing that is kept is at fault."""
_NO_FILES = "remove files, of which the disk can hold hardly any more,"
_LITTLE_FILES = 1000
"""A step that found a disk full has removed again what it was writing."""
_NAMED = re.compile(r"\"(/[^\"]+)\"")
"""How DuckDB names a file in its words."""
_REMEDIES = {
    **_OF_MACHINE,
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: "let it be written to",
    errno.ENOENT: "let nobody move it meanwhile",
    errno.ENAMETOOLONG: "shorten it",
    **dict.fromkeys((errno.EEXIST, errno.EISDIR, errno.ENOTDIR), "move away what stands there instead"),
}


_WORDS = {
    **{os.strerror(number): number for number in (*_OF_MACHINE, errno.EACCES, errno.EPERM, errno.EROFS)},
    "can't start new thread": errno.EAGAIN,
    "insufficient file descriptors": errno.EMFILE,
    "failed to map segment from shared object": errno.ENOMEM,
}
"""What the system says of those errors, in words that others hand on, and what Python, PostgreSQL and the loader do."""


def is_of_system(error: BaseException) -> bool:
    """Return whether an error of Polars ends in what the system says, whatever its kind."""
    return _OS_ERROR.search(str(error)) is not None


def is_of_space(error: OSError) -> bool:
    """Return whether an error says that there is no room, of whatever kind, for what is written."""
    return _number_of(error) in _NO_SPACE


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file that is written where there is no space for it, which the system does not: raises OSError."""
    try:
        yield
    except OSError as error:
        if error.filename or not is_of_space(error):
            raise
        number = _number_of(error)
        raise OSError(number, os.strerror(number), str(path)) from error


def in_words(error: OSError) -> str:
    """Return what the system says of a file, and what to do: `No space left on device; free space and run again`."""
    number = _number_of(error)
    reason = os.strerror(number) if number else str(error).strip().split("\n", 1)[0]
    names = [str(name) for name in (error.filename, error.filename2) if name]
    place = f" ({' -> '.join(names)})" if names else ""
    remedy = f"; {_remedy(number, names[0] if names else '')} and run again" if number in _REMEDIES else ""
    if number == errno.ENOENT and isinstance(error.filename, str) and not Path(error.filename).parent.is_dir():
        remedy = "; make its folder and run again"
    return f"{reason}{place}{remedy}"


def remedy_for(said: str, place: str = "") -> str:
    """Return what to do about what the system says within the words of another program; '' where it says nothing.

    `place` is where it works, should it name no file.
    """
    named = _NAMED.search(said)
    found = (number for words, number in _WORDS.items() if words in said)
    return next((_remedy(number, named[1] if named else place) for number in found), "")


def files_left(place: Path) -> int | None:
    """Return how many files the disk of `place`, or of where it would be, can hold yet; None for many, or unknown."""
    with suppress(OSError):
        found = os.statvfs(next(path for path in (place, *place.absolute().parents) if path.exists()))
        if found.f_files and found.f_favail < _LITTLE_FILES:
            return found.f_favail
    return None


def _remedy(number: int, name: str) -> str:
    """Return what to do about an error of the system at a file, whose name is '' where nobody knows it."""
    if number == errno.ENOSPC and name and files_left(Path(name)) is not None:
        return _NO_FILES
    return _REMEDIES[number]


def keep_private() -> None:
    """Let nobody but this user read what this process and its children write from now on: it holds people's data."""
    global _given_umask
    before = os.umask(_PRIVATE)
    if _given_umask is None:
        _given_umask = before


@contextmanager
def given_away() -> Iterator[None]:
    """Write in the block as the user's own umask says: files that they asked for, to show to others."""
    if _given_umask is None:
        yield
        return
    os.umask(_given_umask)
    try:
        yield
    finally:
        os.umask(_PRIVATE)


def require_links(folder: Path) -> None:
    """Raise OlistError where the disk of a folder, which is made, holds no links: a home has some."""
    probe = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.symlink_to("nowhere")
        probe.unlink()
    except OSError as error:  # whatever else is wrong is said by what needs it
        if error.errno in _NO_LINKS:
            raise OlistError(
                f"The disk that {folder} is on holds no links, and a home has some: set OLIST_HOME to a folder on a "
                "disk of Linux or macOS (ext4, XFS, APFS ...), not FAT or exFAT; landing may stay where it is."
            ) from error


@contextmanager
def new_file(path: Path) -> Iterator[None]:
    """Make the folder of a file that the block writes; where the block fails, the file and what was made go again."""
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes the place of `path` when the block succeeds.

    A reader sees the former file or the new one, never a part; after a crash only a hidden temporary file
    is left, which the next write of the same file removes. It is there from the beginning, and locked: so others see
    that its writer lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with lock_file(temporary, seconds=None):  # who looks for leftovers may hold it for a moment
        try:
            yield temporary
            if path.is_dir():
                raise OlistError(f"{path} is a folder, where a file should be; move it away and run again.")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` that no other writer has; what is there afterwards takes the place of `path`.

    For files that several processes may write at a time, each the same.
    """
    with scratch(path.parent) as temporary:
        yield temporary
        temporary.replace(path)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a path in a folder that no other writer has; what is there at the end of the block is removed.

    After a crash a hidden file is left, which `remove_abandoned` removes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder in `folder`, removed at the end of the block; so is what killed processes left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for lock in folder.glob("*.lock"):
        with suppress(OSError), lock_file(lock):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
    temporary = folder / uuid.uuid4().hex
    lock = temporary.with_suffix(".lock")
    with lock_file(lock, seconds=None):
        try:
            temporary.mkdir()
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            lock.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove what killed writers left in a folder more than an hour ago (see `scratch`)."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > 3600:
                path.unlink()


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_line(path: Path, line: str) -> None:
    """Append a line to a file and wait for the disk, in one write: another process may append at the same time.

    The line that a killed process was writing is closed first. What UTF-8 does not have becomes `?`.
    """
    is_new = not path.exists()
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
        torn = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * torn + line.encode("utf-8", "replace") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        flush(path.parent)


def content_hash(path: Path) -> str:
    """Return the BLAKE2b hash of a file's bytes, as 32 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def write_with_checksum(path: Path, text: str) -> None:
    """Write a small text so that `read_with_checksum` knows whether it was damaged since."""
    with replacing(path) as temporary:
        temporary.write_text(f"{_checksum(text)}\n{text}", "utf-8")


def read_with_checksum(path: Path) -> str:
    """Return what `write_with_checksum` wrote; raises OSError where there is no file, ValueError for a damaged one."""
    checksum, _, text = path.read_text("utf-8").partition("\n")
    if checksum != _checksum(text):
        raise ValueError(f"{path} was damaged")
    return text


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say in a sentence what the system has against reading `what` in the block: raises OlistError for OSError."""
    try:
        yield
    except OSError as error:
        raise OlistError(f"{what} cannot be read: {in_words(error)}.") from error


def size_and_time(path: Path) -> list[int]:
    """Return the size of a file in bytes, in nanoseconds when it was written and when it was changed in any way, and
    its number in the file system: others tell of a change.

    Copies set the time of writing to that of what they copy; the other time nobody sets.
    """
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def there_since(path: Path) -> float:
    """Return since when a file has been here as it is, in seconds of the epoch.

    The time of writing alone does not say: a copy keeps that of what it copies, days before it came.
    """
    status = path.stat()
    return max(status.st_mtime, status.st_ctime)


def tree_hash(*roots: Path, suffixes: tuple[str, ...]) -> str:
    """Return one hash over the names and contents of all files below `roots` that end in `suffixes`."""
    digest = hashlib.blake2b(digest_size=16)
    for root in roots:
        for path in sorted(path for path in root.rglob("*") if path.suffix in suffixes and path.is_file()):
            digest.update(f"{path.relative_to(root)}\0{content_hash(path)}\0".encode())
    return digest.hexdigest()


def _number_of(error: OSError) -> int:
    said = _OS_ERROR.search(str(error))
    return error.errno or (int(said[1]) if said else 0)


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers of `path` left."""
    for other in path.parent.iterdir():
        if other.name.startswith(f".{path.name}.") and other.suffix == ".tmp":
            with suppress(OSError), lock_file(other):
                other.unlink()
