"""Which SQL dialect a project is written in, and how that is known.

What belongs here: what manifest, profiles, requirements, names and the SQL itself say of it. What does not: parsing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_pipeline.audit.profiles import Target
from olist_pipeline.audit.project_files import UnreadableFileError, read_text
from olist_pipeline.audit.statements import has_errors
from olist_pipeline.audit.templates import without_tags

DEFAULT_DIALECT = "duckdb"
DIALECTS = {
    **{name: name for name in ("athena", "bigquery", "clickhouse", "databricks", "doris", "duckdb", "dremio", "druid")},
    **{name: name for name in ("exasol", "fabric", "hive", "materialize", "mysql", "oracle", "postgres", "presto")},
    **{name: name for name in ("redshift", "risingwave", "singlestore", "snowflake", "spark", "sqlite", "starrocks")},
    **{name: name for name in ("teradata", "trino", "tsql")},
    **{"sqlserver": "tsql", "synapse": "tsql", "fabric": "tsql", "glue": "spark", "impala": "hive"},
    **{"postgresql": "postgres", "motherduck": "duckdb", "greenplum": "postgres", "alloydb": "postgres"},
    **dict.fromkeys(("firebolt", "netezza", "vertica", "cratedb", "timescaledb", "yellowbrick"), "postgres"),
    **{"fabricspark": "spark", "watsonx_spark": "spark", "watsonx_presto": "presto", "spark_livy": "spark"},
    **{"tidb": "mysql", "mariadb": "mysql", "mysql5": "mysql", "maxcompute": "hive"},
}
"""sqlglot's dialect for dbt's adapters. An adapter that is not here says nothing: its SQL is looked at instead."""

ADAPTER = re.compile(r"\bdbt[-_]([a-z]+)\b")
REQUIREMENTS = ("requirements", "pyproject.toml", "pipfile", "setup.py", "setup.cfg", "environment.y", "poetry.lock")
SQL_SIGNS: Mapping[str, re.Pattern[str]] = {
    "clickhouse": re.compile(r"engine\s*=\s*'?\w*mergetree|\b(tostartof\w+|arrayjoin|countif\(|sumif\(|argmax\()"
                             r"|\btoint\d+|\bmultiif\(|\bfrom\s+\S+(\s+as\s+\w+)?\s+final\b"),
    "bigquery": re.compile(r"`[\w-]+\.[\w-]+\.[\w-]+`|\bsafe_cast\(|\bsafe_divide\(|\bunnest\(|\bint64\b|\bstruct\(|"
                           r"\bdate_sub\([^)]*interval|select\s+\*\s+except\s*\(|\bsafe_offset\("),
    "snowflake": re.compile(r"::variant|\btimestamp_[nl]tz\b|\btransient\s*=|\bsnowflake_warehouse\b|\bcopy_grants\b|"
                            r"\blateral flatten\(|\biff\(|\btry_to_\w+\(|\bparse_json\(|\bnvl2?\(|"
                            r"\bto_varchar\(|\bdateadd\(|\bzeroifnull\(|::number\b|\barray_agg\([^)]*within|\w+:\w+::\w+"),
    "postgres": re.compile(r"::jsonb\b|->>|\bdistinct on\s*\(|::numeric\b|\bto_char\(|\bgenerate_series\(|\bilike\b"),
    "redshift": re.compile(r"\bdistkey\b|\bsortkey\b|\b(dist|sort)\s*=\s*['\[\"]|"
                           r"\bjson_extract_path_text\(|\bgetdate\(\)|\bconvert_timezone\("),
    "tsql": re.compile(r"\bselect\s+top\b|\bisnull\(|\[\w+\]\.\[\w+\]|\bgetdate\(\)|\btry_convert\(|\bcross apply\b"
                       r"|\bnvarchar|\bhashbytes\(|\bdatetime2\b|\bas_columnstore\b"),
    "trino": re.compile(r"\bfrom_iso8601_timestamp\(|\bjson_extract_scalar\(|\bcross join unnest\(|\barbitrary\(|"
                        r"\bfrom_unixtime\(|\bvarbinary\b|\bapprox_distinct\("),
    "spark": re.compile(r"\blateral view\b|\bexplode\(|\bcollect_(list|set)\(|\bdate_format\(|\bdistribute by\b|"
                        r"file_format\s*=|\bget_json_object\(|\bunix_timestamp\("),
    "mysql": re.compile(r"\bdate_format\([^)]*'%|\bgroup_concat\(|\bcurdate\(|\bstr_to_date\(|\btimestampdiff\("),
    "duckdb": re.compile(r"\bread_(csv|parquet|json)\w*\(|\bstrptime\(|\bgroup by all\b|\blist_\w+\("),
}  # fmt: skip
"""What only, or nearly only, one dialect writes."""

BUILT_ON = {
    "redshift": "postgres",
    "materialize": "postgres",
    "databricks": "spark",
    "fabric": "sqlserver",
    "synapse": "fabric",
}
"""The adapters that come with another one, which a list of what is installed names as well."""

LEAST_SIGNS = 3
TRIED = (DEFAULT_DIALECT, "bigquery", "snowflake", "postgres", "spark", "tsql")
"""The dialects that are tried where nothing says one, in the order in which they win."""
MOST_TRIED = 20
MOST_FILES = 400


@dataclass(frozen=True)
class Spoken:
    """A dialect, and what says so; is_known: whether something says so at all."""

    dialect: str
    why: str
    is_known: bool = True


def dialect_of(
    root: Path,
    settings: Mapping[str, Any],
    manifest: Mapping[str, Any],
    files: Iterable[Path],
    macros: Iterable[Path] = (),
    targets: Iterable[Target] = (),
) -> Spoken:
    """Return the dialect of a project, by the strongest of what it says; DuckDB's where it says nothing.

    `targets` are those of its profiles. `macros` are looked at where the SQL of `files` tells nothing: some write all
    of it.
    """
    metadata = manifest.get("metadata")
    adapter = metadata.get("adapter_type") if isinstance(metadata, Mapping) else None
    if isinstance(adapter, str) and adapter in DIALECTS:
        return Spoken(DIALECTS[adapter], "manifest.json")
    for spoken in (_of_targets(targets), _of_requirements(root), _of_names(settings)):
        if spoken is not None:
            return spoken
    return (
        of_sql(root, files)
        or of_sql(root, macros)
        or _of_trial(root, files)
        or Spoken(DEFAULT_DIALECT, "nothing says which", is_known=False)
    )


def of_sql(root: Path, files: Iterable[Path]) -> Spoken | None:
    """Return the dialect whose own words stand in the most files; None where too few tell."""
    found: Counter[str] = Counter()
    paths = list(files)
    for path in paths[:: max(1, len(paths) // MOST_FILES)]:
        try:
            text = read_text(path, root).lower()
        except UnreadableFileError:
            continue
        found.update(name for name, sign in SQL_SIGNS.items() if sign.search(text))
    best = found.most_common(2)
    if not best or best[0][1] < LEAST_SIGNS or (len(best) > 1 and best[1][1] * 1.2 > best[0][1]):
        return None
    return Spoken(best[0][0], f"the SQL of {best[0][1]} files", is_known=False)


def _of_trial(root: Path, files: Iterable[Path]) -> Spoken | None:
    """Return the dialect that reads the most of some files; None where no other reads more than DuckDB's."""
    paths = list(files)
    texts = []
    for path in paths[:: max(1, len(paths) // MOST_TRIED)][:MOST_TRIED]:
        try:
            texts.append(without_tags(read_text(path, root)))
        except UnreadableFileError:
            continue
    read = {name: sum(not has_errors(text, name) for text in texts) for name in TRIED}
    best = max(TRIED, key=lambda name: read[name])
    if read[best] == read[DEFAULT_DIALECT]:
        return None
    return Spoken(
        best, f"it reads {read[best]} of {len(texts)} files, {DEFAULT_DIALECT} {read[DEFAULT_DIALECT]}", is_known=False
    )


def _of_targets(targets: Iterable[Target]) -> Spoken | None:
    """Return what `profiles.yml` says, at the top or one folder down, or a template of it."""
    for target in targets:
        if known := [name for name in target.adapters if name in DIALECTS]:
            return Spoken(DIALECTS[known[0]], target.file)
    return None


def _of_requirements(root: Path) -> Spoken | None:
    for path in sorted(root.iterdir()):
        if not path.name.lower().startswith(REQUIREMENTS):
            continue
        try:
            names = [name for name in ADAPTER.findall(read_text(path, root).lower()) if name in DIALECTS]
        except UnreadableFileError:
            continue
        own = [name for name in names if not any(name == BUILT_ON.get(other) for other in names)]
        if own:
            return Spoken(DIALECTS[own[0]], path.name)
    return None


def _of_names(settings: Mapping[str, Any]) -> Spoken | None:
    for key in ("profile", "name"):
        words = re.split(r"[^a-z]+", str(settings.get(key) or "").lower())
        known = [word for word in words if word in DIALECTS]
        if known:
            return Spoken(DIALECTS[known[0]], f"the {key} in dbt_project.yml")
    return None
