"""The migration file as types: the old project, how it finds landing, the new project, and the pairs of tables.

What belongs here: the form of the file, and what contradicts itself in it. What does not: whether it fits the projects
that it names (`orchestration.migration_check`), and where it is (`load`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from olist_pipeline.tablediff.contract import Contract, ContractError, Tolerance, fold
from olist_pipeline.tablediff.names import split_names

Text = Annotated[str, Field(min_length=1)]
Reason = Annotated[str, Field(min_length=1, pattern=r"\S")]
ManyTexts = tuple[Text, ...]


def is_inside(path: str) -> bool:
    """Whether a path stays below the folder that it is relative to, whatever that is."""
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and parts[0] != "/"


def _inside(path: str) -> str:
    if path and not is_inside(path):
        raise ValueError(f"'{path}' must lie below its folder: neither absolute, nor with '..', nor the folder itself")
    return path


def _variable(name: str) -> str:
    if not name or "=" in name:
        raise ValueError(f"{name!r} cannot be the name of an environment variable")
    return name


Inside = Annotated[str, AfterValidator(_inside)]

OLD, REPLAY, NEW = "old", "replay", "new"
"""The three trees, and the schemas of the warehouse that their tables are in."""

OLIST = "olist_pipeline.olist_contexts"
"""The contexts of this repository's own warehouse, as its migration file names them."""

AS_OF = "{as_of}"
"""What stands in a variable, of dbt or of its environment, for the day that the warehouse takes for today."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Profile(_Part):
    """A profiles.yml of the old project, relative to the migration file; its DuckDB file is replaced by ours."""

    file: Text
    name: str = ""
    target: str = ""


class OldProject(_Part):
    """The dbt project that is to be replaced: run as it is, in its own folder.

    `project` is relative to the migration file, `folder` the folder of its models that are old (`models/old`; all where
    empty). `vars` and `environment` are what it is given beside landing. `spark` says that Spark can build it, too.
    """

    project: Text
    folder: str = ""
    profile: Profile | None = None
    vars: Mapping[str, Any] = {}
    environment: Mapping[Annotated[str, AfterValidator(_variable)], str] = {}
    spark: bool = False


class NewProject(_Part):
    """The dbt project of the new tables, which reads staging; `folder` is that of its models that are new.

    `spark` says that Spark can build it, too.
    """

    project: Text
    folder: str = ""
    spark: bool = False


class LandingFile(_Part):
    """A file of landing: the source table (`source.table`) of the old project that it is, and the types of its columns.

    `types` are those with which the file is loaded into a raw schema; a column that is not named is text.
    """

    source: str = ""
    types: Mapping[str, Text] = {}


class Landing(_Part):
    """How the old project finds landing: exactly one of these, and its files.

    `variable`: a dbt variable that holds the folder; `environment`: an environment variable that does; `folder`: a
    folder of the project (`data/raw`), named in its SQL or in the external locations of its sources; `raw_schema`: a
    schema of its database into which the files are loaded before it runs.
    """

    variable: str = ""
    environment: str = ""
    folder: Inside = ""
    raw_schema: str = ""
    files: Mapping[Inside, LandingFile] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Landing:
        ways = [name for name in ("variable", "environment", "folder", "raw_schema") if getattr(self, name)]
        if len(ways) != 1:
            said = " and ".join(ways) or "none"
            raise ValueError(f"say one of variable, environment, folder and raw_schema, and not {said}")
        if twice := _twice(file.source for file in self.files.values() if file.source):
            raise ValueError(
                f"two of its files are {', '.join(twice)}, and the second would take the place of the first"
            )
        return self


class Bounds(_Part):
    """How far two values of a column may lie apart (see `tablediff.contract.Tolerance`)."""

    absolute: float | str = 0
    relative: float | str = 0

    @property
    def tolerance(self) -> Tolerance:
        """The tolerance; raises ContractError for what is none."""
        return Tolerance(self.absolute, self.relative)


class TablePair(_Part):
    """An old table and the new one that takes its place.

    `old` is a relation of the old project: its name, or `schema.name` where several schemas have one of that name. A
    name with a dot in it stands in double quotes. `new` is the relation of the new project (the same name where it is
    not said), `columns` maps its columns to old's where they are called otherwise. All other columns are named as old
    names them. `left_out` has columns that are not compared, each with the reason. `measures` are those whose sums a
    report shows. `is_dimension` says that a table that refers to this one is not served from another side than it, as
    long as a reference would be lost by that.
    """

    old: Text
    key: Annotated[ManyTexts, Field(min_length=1)]
    new: str = ""
    context: str = ""
    columns: Mapping[str, Text] = {}
    left_out: Mapping[str, Reason] = {}
    tolerances: Mapping[str, Bounds] = {}
    measures: ManyTexts = ()
    is_dimension: bool = False

    @model_validator(mode="after")
    def _no_contradiction(self) -> TablePair:
        for side, names in (("new", self.columns), ("old", self.columns.values())):
            if twice := _twice(names):
                raise ValueError(f"columns names {', '.join(twice)} of {side} twice")
        bare_name(self.old)
        try:
            self.contract  # noqa: B018 a contract says itself what contradicts it
        except ContractError as error:
            raise ValueError(str(error).rstrip(".")) from error
        return self

    @property
    def contract(self) -> Contract:
        """What is compared of the pair, and how, as old names its columns."""
        tolerances = {column: bounds.tolerance for column, bounds in self.tolerances.items()}
        return Contract(self.name, self.key, tolerances, self.left_out)

    @property
    def name(self) -> str:
        """The name under which dashboards read the table: old's."""
        return bare_name(self.old)

    @property
    def new_name(self) -> str:
        """The name of the new relation."""
        return self.new or self.name


class Besides(_Part):
    """What replay may read besides accepted rows: a seed, a path, or what an extension of DuckDB opens by itself.

    A path is a file, or a folder with all below it.
    """

    reason: Reason
    seed: str = ""
    path: str = ""
    extension: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Besides:
        if sum(map(bool, (self.seed, self.path, self.extension))) != 1:
            raise ValueError("say one of seed, path and extension")
        return self


class Migration(_Part):
    """The whole file. `path` is where it is; the paths in it are relative to its folder.

    `contexts` is the Python module whose `CONTEXTS` have moved, `models` maps contexts to models of old (patterns with
    `*` are allowed) where these do not say it themselves. `served` are old tables without a pair that dashboards read.
    """

    path: Path = Field(strict=False)
    version: Literal[1]
    contexts: Text
    old: OldProject
    landing: Landing
    new: NewProject
    models: Mapping[str, ManyTexts] = {}
    besides: tuple[Besides, ...] = ()
    pairs: tuple[TablePair, ...] = ()
    served: ManyTexts = ()

    @model_validator(mode="after")
    def _each_once(self) -> Migration:
        for what, names in (
            ("old tables", [pair.name for pair in self.pairs] + [*map(bare_name, self.served)]),
            ("new tables", [pair.new_name for pair in self.pairs]),
        ):
            if twice := _twice(names):
                raise ValueError(f"{what} stand twice in pairs and served: {', '.join(twice)}")
        for (one, own), (other, others) in combinations(self.models.items(), 2):
            if both := [name for name in own if name in others]:
                raise ValueError(f"models: {', '.join(both)} stands in {one} and in {other}; take it out of one")
        return self

    @property
    def is_olists(self) -> bool:
        """Whether it is of this repository's own warehouse, and not of another company's."""
        return self.contexts == OLIST

    @property
    def old_folder(self) -> Path:
        """The folder of the old project."""
        return (self.path.parent / self.old.project).resolve()

    @property
    def new_folder(self) -> Path:
        """The folder of the new project."""
        return (self.path.parent / self.new.project).resolve()

    @property
    def old_target(self) -> str:
        """The target of the old project's own profiles.yml that the file names; '' for that which dbt would take."""
        profile = self.old.profile
        is_own = profile and (self.path.parent / profile.file).resolve() == self.old_folder / "profiles.yml"
        return profile.target if profile and is_own else ""

    @property
    def old_variables(self) -> dict[str, Any]:
        """The variables of the old project: what the file gives, and a word for the folder of landing."""
        landing = {self.landing.variable: "landing"} if self.landing.variable else {}
        return {**landing, **self.old.vars}

    @property
    def seeds(self) -> frozenset[str]:
        """The seeds that replay may read."""
        return frozenset(one.seed for one in self.besides if one.seed)

    @property
    def extensions(self) -> frozenset[str]:
        """The extensions that somebody vouches for, in lower case."""
        return frozenset(one.extension.lower() for one in self.besides if one.extension)

    def context_of(self, model: str) -> str | None:
        """Return the context to which the file assigns a model of old; None where it does not."""
        matching = (context for context, names in self.models.items() if _matches(model, names))
        return next(matching, None)

    def matching_twice(self, models: Iterable[str]) -> list[str]:
        """Return a sentence for each two contexts that have models in common, of which the first does not name them."""
        return [
            f"models: {', '.join(both)} by patterns of {one} and of {other}; {one} has them, for it stands first"
            for (one, own), (other, others) in combinations(self.models.items(), 2)
            if (
                both := sorted(
                    name for name in models if _matches(name, own) and name not in own and _matches(name, others)
                )
            )
        ]

    def matching_nothing(self, models: Collection[str]) -> list[str]:
        """Return the entries of `models` by which no model of old has a context, each with that context."""
        return [
            f"models.{context}: {pattern}"
            for context, patterns in self.models.items()
            for pattern in patterns
            if not any(_matches(model, [pattern]) for model in models)
        ]


def bare_name(relation: str) -> str:
    """Return the name of an old relation that the file names, without its schema; raises ValueError for no name.

    A name with a dot in it stands in double quotes there.
    """
    try:
        return split_names(relation, ".")[-1]
    except ContractError:
        raise ValueError(f"{relation} is no name, and no schema.name; a name with a dot is in double quotes") from None


def _twice(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once for DuckDB, to which case does not matter."""
    counts = Counter(map(fold, names))
    return sorted(name for name, count in counts.items() if count > 1)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


WORDS = frozenset(word for part in _Part.__subclasses__() for word in part.model_fields)
"""All words of the file, wherever they may stand."""
