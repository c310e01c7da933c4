"""The mirror of the old project, in which replay runs where landing is a folder inside of that project.

What belongs here: a folder of links to all that the project has, with landing written anew in the place of its own.
What does not: writing landing anew (`replay` of the pipeline), and which files replay may read (`profiles`).

Of the other files in the folder of landing the mirror has those that say something of seeds, and the seeds that
somebody vouches for.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from olist_pipeline.migration.model import Migration

SAYING = (".yml", ".yaml", ".md")
"""The endings of the files by which a project says something of its seeds."""


def make_mirror(mirror: Path, migration: Migration, landing: Path) -> None:
    """Make `mirror` that of the old project, with the files of `landing` as they are now."""
    project, folder = migration.old_folder, Path(migration.landing.folder)
    _mirror(project, mirror, folder.parts)
    _link_files(mirror / folder, {**_kept(project / folder, migration), **_files(landing)})


def _mirror(project: Path, mirror: Path, parts: tuple[str, ...]) -> None:
    """Make `mirror` a folder of links to what `project` has, but for its folder `parts`, which is no link."""
    _make_folder(mirror)
    if not parts:
        return
    wanted = {entry.name: entry for entry in project.iterdir() if entry.name not in (parts[0], "target", "logs")}
    for name, entry in wanted.items():
        _link(mirror / name, entry)
    for link in mirror.iterdir():
        if link.is_symlink() and link.name not in wanted and link.name != parts[0]:
            link.unlink()
    _mirror(project / parts[0], mirror / parts[0], parts[1:])


def _kept(folder: Path, migration: Migration) -> dict[Path, Path]:
    """Return the files in the project's folder of landing that are none of landing, by their place in it."""
    return {
        place: file
        for place, file in _files(folder).items()
        if file.suffix in SAYING or (file.stem in migration.seeds and str(place) not in migration.landing.files)
    }


def _files(folder: Path) -> dict[Path, Path]:
    """Return the files below a folder by their place in it; hidden ones are none, such as one that is being written."""
    return {
        path.relative_to(folder): path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    }


def _link_files(folder: Path, wanted: Mapping[Path, Path]) -> None:
    """Let a folder hold links to files at these places in it, and nothing else."""
    for path in list(folder.rglob("*")):
        if path.is_symlink() and path.relative_to(folder) not in wanted:
            path.unlink()
    for place, file in wanted.items():
        for above in reversed(place.parents[:-1]):
            _make_folder(folder / above)
        _link(folder / place, file)


def _make_folder(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def _link(link: Path, to: Path) -> None:
    if link.is_symlink() and link.readlink() == to:
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(to)
