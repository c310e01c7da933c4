"""Where dbt makes a tree: its database, or its folder on Spark, made ready; and what it holds, shown in the warehouse.

What belongs here: beginning a tree anew, and knowing whether what it needs of former runs is there. What does not: the
invocations of dbt (`dbt_build`), and its profiles (`migration.profiles`, `spark.trees`).
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.migration.model import NEW, REPLAY, Migration
from olist_pipeline.migration.profiles import database_of, external_of, landing_of_spark
from olist_pipeline.migration.project import DbtNode
from olist_pipeline.old_tables import bring, load_raw, shown_of
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import folder_of, is_on_spark, reads_of_replay, refusal_on_spark, show
from olist_pipeline.warehouse import await_free

_BEGUN = "begun_"
_AT_WORK = "at_work"


@dataclass(frozen=True)
class TreeFolder:
    """The folder in which an engine makes a tree, with a file for each build that was begun there: the home's path.

    Views, and Spark's catalog, name files by that path, and a home may be moved. Another file is there from the start
    of a build that begins with nothing, or is on Spark, to its good end: where it was cut off in between, tables may be
    missing, or may not belong to the catalog any more, and nothing of the tree is held.
    """

    folder: Path
    home: Path

    def holds(self, build: str) -> bool:
        """Whether a build was begun here, so that what it made before is there; `*` is any build."""
        if (self.folder / _AT_WORK).exists():
            return False
        with suppress(OSError, ValueError):
            return any(file.read_text("utf-8") == str(self.home.resolve()) for file in self._files(build))
        return False

    def keep(self, build: str) -> None:
        """Say that a build was begun here."""
        with replacing(self.folder / f"{_BEGUN}{build}") as temporary:
            temporary.write_text(str(self.home.resolve()), "utf-8")

    def start(self) -> None:
        """Say that a build is at work here which leaves nothing to go by where it is cut off."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _AT_WORK).touch()

    def end(self) -> None:
        """Say that what was begun here has come to a good end."""
        (self.folder / _AT_WORK).unlink(missing_ok=True)

    def forget(self) -> None:
        """Forget what was begun here: another engine makes the tree now, and what is here grows old."""
        for file in self._files("*"):
            file.unlink()

    def _files(self, build: str) -> list[Path]:
        return list(self.folder.glob(f"{_BEGUN}{build}"))


def place_of(settings: Settings, tree: str, *, on_spark: bool) -> TreeFolder:
    """Return where an engine makes a tree. DuckDB makes new in the warehouse itself, and is not asked where."""
    return TreeFolder(folder_of(settings, tree) if on_spark else settings.home / tree, settings.home)


def make_ready(
    settings: Settings, migration: Migration, manifest: DbtNode, tree: str, build: str, landing: Path, *, is_fresh: bool
) -> None:
    """Wait until the databases are free, and begin a build; of old and replay, whole trees begin with nothing."""
    on_spark = is_on_spark(settings, migration, tree)
    here = place_of(settings, tree, on_spark=on_spark)
    place_of(settings, tree, on_spark=not on_spark).forget()
    if on_spark:
        if is_fresh or not here.holds("*"):
            shutil.rmtree(here.folder, ignore_errors=True)
        landing_of_spark(settings, tree).mkdir(parents=True, exist_ok=True)
        if tree == REPLAY:
            reads_of_replay(settings).begin()
        here.start()
    elif tree == NEW:
        await_free(settings.warehouse)
        return
    else:
        if is_fresh:
            here.start()
        _begin(database_of(settings, migration, tree), is_fresh=is_fresh)
        load_raw(settings, migration, manifest, tree, landing)
    here.keep(build)


def make_an_end(settings: Settings, migration: Migration, tree: str) -> None:
    """End a build that has come to a good end; raises OlistError where replay read on Spark what nobody accepted."""
    on_spark = is_on_spark(settings, migration, tree)
    if on_spark and tree == REPLAY and (refused := refusal_on_spark(settings, migration)):
        raise OlistError(refused)
    place_of(settings, tree, on_spark=on_spark).end()


def show_tree(
    settings: Settings, migration: Migration, manifest: Mapping[str, Any], tree: str, names: Collection[str]
) -> None:
    """Show what dbt made of a tree in the warehouse: as copies of DuckDB's tables, or as views of Spark's."""
    await_free(settings.warehouse)
    if is_on_spark(settings, migration, tree):
        show(settings, tree, shown_of(manifest, migration, tree, names))
    else:
        bring(settings, migration, manifest, tree, names)


def _begin(database: Path, *, is_fresh: bool) -> None:
    """Wait until the database of old or replay is free, and empty it where it is to be fresh."""
    database.parent.mkdir(parents=True, exist_ok=True)
    if is_fresh:
        for path in (database, database.with_name(f"{database.name}.wal")):
            path.unlink(missing_ok=True)
        # A file of a former run may hold rows that are not accepted any more.
        shutil.rmtree(external_of(database), ignore_errors=True)
        external_of(database).mkdir()
    await_free(database)
