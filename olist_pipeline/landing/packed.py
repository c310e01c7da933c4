"""Packed landing files: `FILE.csv.gz`, and the zip as Kaggle gives it.

What belongs here: finding the packed form of a file that is not there plain, and unpacking it. What does not: what is
in the file.

Landing belongs to somebody else, so nothing is written there: a packed file is unpacked below the project's home, once
for each state that it has. Nothing of an archive but the bytes of the wanted file is used, no name and no path in it.
"""

from __future__ import annotations

import errno
import gzip
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from lzma import LZMAError
from pathlib import Path
from typing import IO, Any

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.files import replacing, size_and_time, writing

BLOCK_BYTES = 1 << 20
LARGEST_RATIO = 200
"""No table of text packs better than this; the real ones pack to a fifth."""

ALWAYS_ALLOWED_BYTES = 64 << 20
_BROKEN = (
    *(EOFError, OSError, RuntimeError, ValueError, LookupError),
    *(zlib.error, zipfile.BadZipFile, LZMAError, struct.error),
)
"""What reading a broken archive raises; a zip with a password or an unknown compression raises a RuntimeError."""


@dataclass(frozen=True)
class Packed:
    """A packed form of a landing file: the archive, its state (see `size_and_time`), and the member of a zip.

    `code` is the hash of the code that unpacks it, where another one may make another file of it.
    """

    archive: str
    size: int
    modified: int
    changed: int
    number: int
    member: str | None = None
    code: str = ""

    @classmethod
    def of(cls, archive: Path, member: str | None = None, code: str = "") -> Packed:
        """Return the packed form in an archive, as that is now."""
        size, modified, changed, number = size_and_time(archive)
        return cls(str(archive), size, modified, changed, number, member, code)

    @property
    def path(self) -> Path:
        """The path of the archive."""
        return Path(self.archive)


def packed_form(landing: Path, file: str) -> Packed | None:
    """Return the packed form of a file in landing, None where there is none.

    A `.gz` goes before a zip. Raises OlistError where two zips hold the file, or one holds it twice.
    """
    single = landing / f"{file}.gz"
    if single.is_file():
        return Packed.of(single)
    archives = sorted(path for path in landing.iterdir() if path.suffix.lower() == ".zip" and path.is_file())
    found = [packed for archive in archives for packed in _members(archive, file)]
    if len(found) > 1:
        places = " and ".join(f"{packed.path.name} ({packed.member})" for packed in found)
        raise OlistError(f"{file} is packed more than once in {landing}: in {places}; keep one.")
    return found[0] if found else None


def unpack(packed: Packed, target: Path, write: Callable[[Path, Path], None] | None = None) -> None:
    """Make `target` the unpacked file, whole or not at all; nothing is done where it is, as it was left.

    `write` is given the archive and where to unpack it, for one that is neither a `.gz` nor a zip. Raises OlistError
    for an archive that is broken, needs a password, or unpacks to what no table of text would, and OSError where the
    system refuses to read or to write.
    """
    state = _state_of(target)
    with alone(target.parent / ".lock"):
        if _is_as_left(target, state, packed):
            return
        name = _name_of(packed.path, None, target)
        with writing(target), replacing(target) as temporary, unchanged(packed.path, name):
            if write:
                write(packed.path, temporary)
            else:
                _unpack(packed, temporary, target)
        with replacing(state) as temporary:
            temporary.write_text(json.dumps(_left(target, packed)), "utf-8")


def changed_meanwhile(file: str) -> OlistError:
    """Return the error of a file that is another one at the end of reading it than at its beginning."""
    return OlistError(f"{file} was changed while it was read; run again once its upload is complete.")


@contextmanager
def unchanged(path: Path, name: str) -> Iterator[None]:
    """Raise OlistError where a file, called `name`, is changed in the block, whatever else that led to."""
    before = _state_now(path)
    try:
        yield
    finally:
        if _state_now(path) != before:
            raise changed_meanwhile(name)


def _state_now(path: Path) -> list[int] | None:
    with suppress(OSError):
        return size_and_time(path)
    return None


def called(path: Path) -> str:
    """Return what a sentence calls a file of a readable landing: what it is where it landed.

    That is `FILE.csv`, `FILE.csv.gz`, `archive.zip (data/FILE.csv)`, or `rides/2018-10-17.parquet` for a part.
    """
    if not path.is_symlink():
        return _name_of(*_unpacked_from(path), path)
    return _name_of(path.readlink(), None, path) if path.readlink().name == path.name else path.name


def landed(path: Path) -> Path:
    """Return the file that landed, of which a file of a readable landing is or was unpacked."""
    return path.resolve() if path.is_symlink() else _unpacked_from(path)[0]


def _name_of(archive: Path, member: str | None, path: Path) -> str:
    """Return what a file is called that landed as one, of which `path` was made; a part by its folder, too."""
    if archive != path and archive.parent.name == path.parent.name:
        return f"{archive.parent.name}/{archive.name}"
    return f"{archive.name} ({member})" if member else archive.name


def _unpacked_from(path: Path) -> tuple[Path, str | None]:
    """Return the archive that a file was unpacked from, and its member; the file itself where it was from none."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(_state_of(path).read_text("utf-8"))
        return Path(said["archive"]), said["member"]
    return path, None


def _state_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _is_as_left(target: Path, state: Path, packed: Packed) -> bool:
    """Return whether a file was unpacked of this archive, and nobody has written to it since."""
    with suppress(OSError, ValueError):
        return bool(json.loads(state.read_text("utf-8")) == _left(target, packed))
    return False


def _left(target: Path, packed: Packed) -> dict[str, Any]:
    return {**asdict(packed), "unpacked": size_and_time(target)}


def _unpack(packed: Packed, temporary: Path, target: Path) -> None:
    limit = max(ALWAYS_ALLOWED_BYTES, LARGEST_RATIO * packed.size)
    name = _name_of(packed.path, None, target)
    try:
        if not packed.size:
            raise EOFError
        with _opened(packed) as source, temporary.open("wb") as copy:
            while block := source.read(BLOCK_BYTES):
                limit -= len(block)
                if limit < 0:
                    raise OlistError(f"{name} unpacks {target.name} to more than any table would be; fetch it again.")
                copy.write(block)
    except _BROKEN as error:
        if _is_of_system(error):
            raise
        raise OlistError(f"{name} cannot be unpacked ({_reason(error)}); {_remedy(error)}.") from error


@contextmanager
def _opened(packed: Packed) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if packed.member is None:
        with gzip.open(packed.path, "rb") as source:
            yield source
    else:
        with zipfile.ZipFile(packed.path) as archive, archive.open(packed.member) as member:
            yield member


def _is_of_system(error: Exception) -> bool:
    """Return whether the system refuses to read or to write: then the archive is not at fault.

    A damaged archive may name a place in front of its beginning, which the system cannot go to.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "its end is missing"
    if isinstance(error, gzip.BadGzipFile):
        return "it is not gzip, or not to its end"
    if isinstance(error, zlib.error):
        return "what is packed in it is damaged"
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _remedy(error: Exception) -> str:
    if "password" in str(error):
        return "unpack it yourself"
    if isinstance(error, gzip.BadGzipFile):
        return "fetch it again, or leave out .gz where it is not packed"
    return "fetch it again"


def _members(archive: Path, file: str) -> list[Packed]:
    """Return the members of a zip that are the file, in whatever folder; raises OlistError for a broken zip.

    Some programs of Windows put backslashes between folders; a folder is a member that ends in a slash.
    """
    try:
        names = _names(archive, tuple(size_and_time(archive)))
    except _BROKEN as error:
        if _is_of_system(error):
            raise
        raise OlistError(f"{archive.name} is no whole zip archive ({_reason(error)}); fetch it again.") from error
    places = ((name, re.split(r"[/\\]", name)) for name in names)
    return [Packed.of(archive, name) for name, place in places if place[-1] == file and "__MACOSX" not in place]


@lru_cache(maxsize=16)
def _names(archive: Path, state: tuple[int, ...]) -> tuple[str, ...]:
    with zipfile.ZipFile(archive) as opened:
        return tuple(opened.namelist())
