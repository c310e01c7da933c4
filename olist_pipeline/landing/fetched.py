"""Landing at an address: what an object store holds, copied to a folder before anything reads it.

What belongs here: copying what has changed, and the sentence for what cannot be reached. What does not: the address
(`settings`), and reading files: everything else reads the folder, as it reads any other.

A run, a look of the sensor and a schedule fetch once, at their begin: so a run reads one state of the store. Each file
is put in its place when it is whole. What the store says of a file (its ETag, size and time) tells whether it is
another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.file_locks import alone
from olist_pipeline.files import in_words, replacing, size_and_time
from olist_pipeline.settings import Settings

DEPTH = 2
"""A file, or a part in the folder of its table."""

Known = dict[str, list[Any]]
"""By the name of a file below the address: what the store says of it, and how it was left here."""


def fetch_landing(settings: Settings) -> list[str]:
    """Copy what has changed at the address of landing to its folder; return the names of those files.

    What is no longer there is removed. Nothing is done where landing is a folder of this machine. Raises OlistError for
    an address that cannot be read, or where nothing is.
    """
    if not settings.landing_address:
        return []
    folder = settings.landing
    note = folder.with_name(f"{folder.name}.json")
    with alone(folder.with_name(f"{folder.name}.lock")):
        try:
            return _fetched(settings.landing_address, folder, note)
        except OlistError:
            raise
        except ImportError as error:
            raise OlistError(
                f"OLIST_DATA_DIR is {settings.landing_address!r}, and the package for such addresses is not installed "
                f"({error}): for s3:// it is the extra s3 (`pip install s3fs`)."
            ) from error
        except Exception as error:  # each store raises what its client does
            said = in_words(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            raise OlistError(
                f"{settings.landing_address} cannot be read: {' '.join(said.split()).rstrip('.')}; see that it is the "
                "right address, and that this user may list and read it."
            ) from error


def _fetched(address: str, folder: Path, note: Path) -> list[str]:
    from fsspec.core import url_to_fs

    store, root = url_to_fs(address)
    store.invalidate_cache()
    known, there = _known(note), _listed(store.find(root, maxdepth=DEPTH, detail=True), root)
    if not there:
        raise OlistError(f"There are no files at {address}, which OLIST_DATA_DIR names; put them there.")
    folder.mkdir(parents=True, exist_ok=True)
    fetched = []
    for name, (path, size, state) in there.items():
        target = folder / name
        if known.get(name) == _left(state, target):
            continue
        with replacing(target) as temporary:
            store.get_file(path, str(temporary))
            if temporary.stat().st_size != size:
                raise OlistError(f"{name} at {address} was replaced while it was read; run again.")
        known[name] = _left(state, target)
        fetched.append(name)
        _keep(known, note)
    for here in folder.rglob("*"):
        if here.is_file() and str(here.relative_to(folder)) not in there:
            here.unlink()
    # A table in parts is a folder, and no longer one without any.
    for here in folder.iterdir():
        if here.is_dir() and not any(here.iterdir()):
            here.rmdir()
    _keep({name: known[name] for name in there}, note)
    return fetched


def _listed(found: Mapping[str, Mapping[str, Any]], root: str) -> dict[str, tuple[str, int, str]]:
    """Return what is at an address by its name below it: its path there, its bytes, and what tells its state."""
    listed = {}
    for path, said in found.items():
        if (name := _name_of(path, said, PurePosixPath(root))) is not None:
            state = hashlib.blake2b(repr(sorted((key, str(value)) for key, value in said.items())).encode())
            listed[name] = (path, int(said["size"] or 0), state.hexdigest()[:32])
    return listed


def _name_of(path: str, said: Mapping[str, Any], root: PurePosixPath) -> str | None:
    """Return the name of a file below `root`; none for a folder, what is hidden, and a name that leads out of it."""
    # Some stores have an object for each folder.
    if said.get("type") == "directory" or path.endswith("/") or not PurePosixPath(path).is_relative_to(root):
        return None
    name = PurePosixPath(path).relative_to(root)
    return None if ".." in name.parts or name.name.startswith(".") or not name.parts else str(name)


def _left(state: str, target: Path) -> list[Any]:
    return [state, *size_and_time(target)] if target.is_file() else []


def _known(note: Path) -> Known:
    with suppress(OSError, ValueError, TypeError):
        return dict(json.loads(note.read_text("utf-8")))
    return {}


def _keep(known: Known, note: Path) -> None:
    with replacing(note) as temporary:
        temporary.write_text(json.dumps(known), "utf-8")
