"""Files of a project that strangers wrote: found and read without leaving the project, and never for ever.

What belongs here: the walk over folders, and reading a file that is a plain one, inside, and of a bearable size. What
does not: what files mean.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from olist_pipeline import yaml_text

MAX_BYTES = 2_000_000
"""A larger file is data, not a model: it is reported and not parsed."""


class UnreadableFileError(Exception):
    """A file that is no text, too large or not to be read; `line` counts from 1, None where no line can be told."""

    def __init__(self, line: int | None, message: str) -> None:
        self.line = line
        super().__init__(message)


class NotUtf8Error(UnreadableFileError):
    """A text that is not UTF-8; `text` is what it is in the encoding of Windows."""

    def __init__(self, line: int, text: str) -> None:
        self.text = text
        super().__init__(line, "It is not UTF-8 text.")


def read_bytes(path: Path, root: Path, most: int = MAX_BYTES) -> bytes:
    """Return the content of a file below `root` (a resolved path), of `most` bytes at most.

    Raises UnreadableFileError for a link that leads out of `root`, for what is no plain file (a pipe, a device), and
    for a larger one.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(root):
        raise UnreadableFileError(None, "It is a link that leads out of the project: it was not read.")
    try:
        with open(real, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFileError(None, "It is no plain file: it was not read.")
            size = status.st_size
            content = file.read(most + 1) if size <= most else b""
    except IsADirectoryError:
        raise UnreadableFileError(None, "It is a link to a folder, which is not followed.") from None
    except OSError as error:
        raise UnreadableFileError(None, f"It cannot be opened: {error.strerror}.") from None
    if max(size, len(content)) > most:
        raise UnreadableFileError(None, f"It has {size / 1e6:.1f} MB, more than a model has: it was not parsed.")
    return content


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe would wait for somebody who writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))


def read_text(path: Path, root: Path) -> str:
    """Return the text of a file below `root`, UTF-8 or UTF-16; raises UnreadableFileError."""
    content = read_bytes(path, root)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise UnreadableFileError(1 + content[: content.index(b"\0")].count(b"\n"), "It is a binary file, not SQL.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content[: error.start].count(b"\n")
        raise NotUtf8Error(line, content.decode("cp1252", "replace")) from None


def read_yaml(path: Path, root: Path) -> Any:
    """Return the value of a YAML file below `root`; raises YamlError."""
    try:
        return yaml_text.parse(read_text(path, root))
    except UnreadableFileError as error:
        raise yaml_text.YamlError(str(error).rstrip(".")) from None


def walk(folder: Path, endings: tuple[str, ...], skipped: Collection[str] = ()) -> Iterator[Path]:
    """Yield the files below a folder whose names have one of `endings`, the links to folders among them (see below).

    Folders in `skipped`, and those whose names begin with a point, are left out. A link to a folder is yielded in
    place of what it leads to, so that reading it says that links are not followed.
    """
    waiting = [folder]
    while waiting:
        folders = []
        for entry in _entries(waiting.pop()):
            if os.path.isdir(entry.path):  # noqa: PTH112 - it never raises, not even for links in a circle
                if entry.name in skipped or entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    yield Path(entry.path)
                else:
                    folders.append(Path(entry.path))
            elif re.search(r"\.\w+$", entry.name) and entry.name.lower().endswith(endings):
                yield Path(entry.path)
        waiting += reversed(folders)


def folders_like(root: Path, pattern: str) -> list[str]:
    """Return the folders below `root` that a path with `*` in it names, relative to it; links are not followed."""
    found = [root]
    for part in PurePosixPath(pattern).parts:
        entries = (entry for folder in found for entry in _entries(folder))
        found = [
            Path(entry.path)
            for entry in entries
            if fnmatchcase(entry.name, part) and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]
    return sorted(folder.relative_to(root).as_posix() for folder in found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # nobody may look into it, or its path is longer than the system allows
        return []


def shown(path: Path) -> str:
    """Return a path as text that can be written and printed, whatever bytes its name has."""
    text = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
