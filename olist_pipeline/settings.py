"""Settings: where things are, read once from the environment.

What belongs here: the environment variables of the project and the paths that follow from them. What does
not: reading any other environment variable elsewhere in the code.
"""

from __future__ import annotations

import errno
import getpass
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from olist_pipeline.errors import OlistError
from olist_pipeline.paths import forbidden_in

PROJECT_DIR = Path(__file__).resolve().parents[1]
DBT_DIR = PROJECT_DIR / "dbt"
DBT = (sys.executable, "-P", "-m", "olist_pipeline.dbt_process")
"""The dbt of this environment, on the PATH or not. Its script does not start below a folder with a double quote."""

ENGINES = ("polars", "spark")
"""What works through the validation steps: Polars in this process, or the same in tasks of Spark."""

SPARK_MASTER = re.compile(r"local(\[(\*|\d+)(, ?\d+)?\])?|local-cluster\[[\d, ]+\]|yarn|(spark|k8s|sc)://.+")


def current_user() -> str:
    """Return the name under which the history keeps what is done now: the user's, or the number of one without."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


@dataclass(frozen=True)
class CutoverRules:
    """What a cutover, an automatic rollback and a retirement are held to.

    streak: green runs in a row before a cutover. quarantine_limit: the largest share of a table's landing rows that
    quarantine may hold. freshness_hours: how long the new tables may lag behind landing. retire_after_days: how long
    every context must have been on new.
    """

    streak: int = 3
    quarantine_limit: float = 0.02
    freshness_hours: float = 26
    retire_after_days: float = 7

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> CutoverRules:
        """Return the rules of `env`; raises OlistError for a value that is no number, or out of its range."""
        return cls(
            streak=int(_number(env, "OLIST_CUTOVER_STREAK", cls.streak, whole=True)),
            quarantine_limit=_number(env, "OLIST_QUARANTINE_LIMIT", cls.quarantine_limit, most=1),
            # A policy of Dagster's is no shorter than a minute.
            freshness_hours=_number(env, "OLIST_FRESHNESS_HOURS", cls.freshness_hours, least=0.1),
            retire_after_days=_number(env, "OLIST_RETIRE_AFTER_DAYS", cls.retire_after_days),
        )


ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""How what is no path begins: `s3://`, `https://`, and `file://` as well."""

MOST = 1_000_000
"""No number of runs, hours, days or seconds that somebody means is larger."""


def _refuse_wrapped(env: Mapping[str, str]) -> None:
    """Raise OlistError for a value in blanks or quotes, which would lead to another folder without a word.

    A file of variables may keep them, as that of `docker --env-file` does. The value may be a secret, and is not shown.
    """
    for name, value in env.items():
        if name.startswith("OLIST_") and (value != value.strip() or value.startswith(("'", '"'))):
            raise OlistError(
                f"{name} begins with a blank or a quote, or ends with a blank or a line end, which is a part of its "
                "value then; write it without."
            )


def _number(
    env: Mapping[str, str], name: str, default: float, *, least: float = 0, most: float = MOST, whole: bool = False
) -> float:
    text = env.get(name) or str(default)
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = -1
    if not least <= number <= most:
        kind = "whole number" if whole else "number"
        raise OlistError(f"{name} is {text!r}; set it to a {kind} from {least:g} to {most:,}.")
    return number


MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([MG])(?:B|iB)?", re.IGNORECASE)
LEAST_MEMORY = 2**30


def memory_allowed(env: Mapping[str, str] = os.environ) -> int | None:
    """Return OLIST_MEMORY in bytes, None where it is not set; raises OlistError for what no run can do with."""
    text = env.get("OLIST_MEMORY")
    if not text:
        return None
    said = MEMORY.fullmatch(text.strip())
    found = int(float(said[1]) * {"m": 2**20, "g": 2**30}[said[2].lower()]) if said else 0
    if found < LEAST_MEMORY:
        raise OlistError(f"OLIST_MEMORY is {text!r}; set it to 1 GB or more, as in 8GB or 1500MB.")
    return found


NO_DATABASE_BELOW = "?#"
"""DuckDB and dbt take what follows one of these in a database's path for something else, and write elsewhere."""

NO_SPARK_BELOW = ";[]{}*\\"
"""The address of its catalog ends at the first; the others make a pattern of the place of a table that it has made."""


def _path(name: str, value: str | Path) -> Path:
    """Return an absolute path; raises OlistError for an address, and for one below the home of a user that is not."""
    if ADDRESS.match(str(value)):
        raise OlistError(
            f"{name} is {str(value)!r}, an address, and must be a path of this machine; name one. Landing alone "
            "(OLIST_DATA_DIR) may be at an address."
        )
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError as error:
        raise OlistError(f"{name} is {str(value)!r}, and there is no such user; name another path.") from error


def _folder(name: str, value: str | Path, forbidden: str = "", reader: str = "DuckDB") -> Path:
    """Return an absolute path; raises OlistError for one with a character by which `reader` cannot name files."""
    path = _path(name, value)
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OlistError(f"{name} is {str(path)!r}, whose links lead back to it; name another folder.") from error
    # DuckDB opens a database by its real path.
    for text in (str(path), os.path.realpath(path)):
        if found := forbidden_in(text) or next((char for char in text if char in forbidden), ""):
            raise OlistError(f"{name} is {text!r}: {reader} cannot use a path with {found!r}; name another folder.")
    return path


def _landing(value: str | Path, home: Path) -> tuple[Path, str]:
    """Return the folder of landing, and the address whose files are copied there before a run; nothing for a folder."""
    if not ADDRESS.match(str(value)):
        return _folder("OLIST_DATA_DIR", value), ""
    return home / "fetched" / hashlib.blake2b(str(value).encode(), digest_size=6).hexdigest(), str(value)


def _home(value: str | Path) -> Path:
    """Return OLIST_HOME, which need not be there; raises OlistError where it cannot be a folder."""
    home = _folder("OLIST_HOME", value, NO_DATABASE_BELOW)
    nearest = next(path for path in (home, *home.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise OlistError(f"OLIST_HOME is {str(home)!r}, and {nearest} is no folder; name another.")
    return home


def _password_file(env: Mapping[str, str]) -> Path | None:
    name = env.get("OLIST_POSTGRES_PASSWORD_FILE")
    if name and not env.get("OLIST_POSTGRES_URL"):
        raise OlistError("OLIST_POSTGRES_PASSWORD_FILE is set without OLIST_POSTGRES_URL, which says where; set both.")
    return _path("OLIST_POSTGRES_PASSWORD_FILE", name) if name else None


def migration_file(env: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the migration file: OLIST_MIGRATION, else migration.yml below OLIST_HOME, else ours."""
    if named := env.get("OLIST_MIGRATION"):
        return _path("OLIST_MIGRATION", named)
    home = _path("OLIST_HOME", env.get("OLIST_HOME") or PROJECT_DIR / ".olist")
    try:
        return own if (own := home / "migration.yml").is_file() else DBT_DIR / "migration.yml"
    except PermissionError:
        raise OlistError(
            f"The home {home} is closed to {current_user()}: run the command as its owner, or set OLIST_HOME to a "
            "folder of yours."
        ) from None


class _Below:
    """A path below the home."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, settings: Settings, owner: object) -> Path:
        return settings.home / self.name


@dataclass(frozen=True)
class Settings:
    """The paths and addresses of one environment; all paths are absolute.

    `is_automated` says whether sensors and schedules may start anything, `look_seconds` how often sensors look,
    `ui_url` where people reach the Dagster UI, `landing_address` from where landing is fetched where it is no folder.
    """

    home: Path
    landing: Path
    postgres_url: str | None = field(repr=False)
    engine: str = "polars"
    spark_master: str = "local[*]"
    alert_webhook: str | None = field(default=None, repr=False)
    ui_url: str = "http://127.0.0.1:3000"
    is_automated: bool = False
    look_seconds: int = 30
    cutover: CutoverRules = CutoverRules()
    postgres_password_file: Path | None = None
    migration: Path = DBT_DIR / "migration.yml"
    landing_address: str = ""

    intake = _Below("intake")
    """Typed rows with their structural violations, a file a table."""
    unpacked = _Below("unpacked")
    """Landing files that arrived packed, a folder a landing."""
    staging = _Below("staging")
    """Accepted rows with derived attributes: `<context>/<table>/<YYYY-MM>.parquet`."""
    outbox = _Below("outbox")
    """What units of work leave for PostgreSQL, until it is there."""
    warehouse = _Below("warehouse.duckdb")
    """The DuckDB file that dbt alone writes, schemas `old`, `replay` and `new`."""
    on_spark = _Below("warehouse")
    """What Spark makes of the trees, a folder a tree: their tables, the catalog of these, landing as Parquet."""
    serving = _Below("serving")
    """Published releases; dashboards read `current` and nothing else."""
    reports = _Below("reports")
    """Reports for a browser, a file a run."""
    dagster_home = _Below("dagster")
    """Dagster's instance folder (its storage is in PostgreSQL)."""
    dbt_target = _Below("dbt")
    """Where dbt keeps its manifest and its partial parse."""
    replay_landing = _Below("replay_landing")
    """Landing written anew from the accepted rows, which replay reads in the place of landing."""
    postgres_data = _Below("postgres")
    """The data folder of the embedded server."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Return the settings of `env`; raises OlistError for a value that cannot be meant."""
        _refuse_wrapped(env)
        home = _home(env.get("OLIST_HOME") or PROJECT_DIR / ".olist")
        landing, address = _landing(env.get("OLIST_DATA_DIR") or home / "landing", home)
        engine = env.get("OLIST_ENGINE") or "polars"
        if engine not in ENGINES:
            raise OlistError(f"OLIST_ENGINE is {engine!r}; set it to one of: {', '.join(ENGINES)}.")
        master = env.get("OLIST_SPARK_MASTER") or cls.spark_master
        if not SPARK_MASTER.fullmatch(master):
            raise OlistError(
                f"OLIST_SPARK_MASTER is {master!r}; set it to local[*], local[4], spark://host:7077, yarn, k8s://... "
                "or sc://host:15002."
            )
        if engine == "spark":
            _folder("OLIST_HOME", home, NO_SPARK_BELOW, "Spark")
        memory_allowed(env)
        automation = env.get("OLIST_AUTOMATION") or "0"
        if automation not in ("0", "1"):
            raise OlistError(f"OLIST_AUTOMATION is {automation!r}; set it to 1 or 0.")
        return cls(
            home,
            landing,
            env.get("OLIST_POSTGRES_URL") or None,
            engine,
            master,
            alert_webhook=env.get("OLIST_ALERT_WEBHOOK") or None,
            ui_url=(env.get("OLIST_UI_URL") or cls.ui_url).rstrip("/"),
            is_automated=automation == "1",
            look_seconds=int(_number(env, "OLIST_LOOK_SECONDS", cls.look_seconds, whole=True)) or 1,
            cutover=CutoverRules.from_env(env),
            postgres_password_file=_password_file(env),
            migration=migration_file(env),
            landing_address=address,
        )

    @property
    def has_own_landing(self) -> bool:
        """Whether landing is the project's own folder, which may be filled with synthetic data."""
        return self.landing == self.home / "landing"

    def variables(self) -> dict[str, str]:
        """Return the variables by which a process sees the same settings, in whatever folder it starts."""
        given = {
            "OLIST_HOME": self.home,
            "OLIST_DATA_DIR": self.landing_address or self.landing,
            "OLIST_ENGINE": self.engine,
            "OLIST_SPARK_MASTER": self.spark_master,
            "OLIST_MIGRATION": self.migration,
            "OLIST_AUTOMATION": int(self.is_automated),
            "OLIST_POSTGRES_URL": self.postgres_url,
            "OLIST_POSTGRES_PASSWORD_FILE": self.postgres_password_file,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def export(self) -> None:
        """Set the variables by which child processes (dbt, Dagster) see the same settings."""
        os.environ.update(self.variables())
        if os.path.realpath(os.environ.get("DAGSTER_HOME", "")) != os.path.realpath(self.dagster_home):
            os.environ["DAGSTER_HOME"] = str(self.dagster_home)
