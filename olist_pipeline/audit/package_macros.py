"""Macros of common packages that only write SQL, in their plainest form, should the package not be installed.

What belongs here: packages beside dbt's own and dbt_utils (`sql_macros`) that many projects use. What does not: macros
that write business logic: these must be read where they stand, so their package must be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from olist_pipeline.audit.sql_macros import SQL_MACROS

Macros = Mapping[str, Callable[..., Any]]


def _nothing(*_: Any, **__: Any) -> str:
    return ""


def _call(name: str) -> Callable[..., str]:
    return lambda *parts, **named: f"{name}({', '.join(map(str, (*parts, *named.values())))})"


def _moved(sign: str, unit: str) -> Callable[..., str]:
    return lambda n=0, date="current_date", **_: f"({date} {sign} interval {n} {unit})"


FIVETRAN_UTILS: Macros = {
    **dict.fromkeys(("add_dbt_source_relation", "add_pass_through_columns", "calculated_fields"), _nothing),
    **dict.fromkeys(("fill_pass_through_columns", "persist_pass_through_columns"), _nothing),
    **dict.fromkeys(("partition_by_source_relation", "remove_prefix_from_columns"), _nothing),
    **dict.fromkeys(("apply_source_relation", "source_relation"), lambda *_, **__: ", '' as source_relation"),
    **dict.fromkeys(("enabled_vars", "enabled_vars_one_true"), lambda *_, **__: True),
    **{name: _call(name) for name in ("array_agg", "first_value", "json_extract", "string_agg")},
    "ceiling": _call("ceil"),
    "dummy_coalesce_value": lambda *_, **__: "null",
    "fill_staging_columns": lambda *_, **__: "*",
    "json_parse": lambda string, string_path=(), **_: f"json_extract({string}, '{'.'.join(map(str, string_path))}')",
    "max_bool": _call("max"),
    "percentile": lambda percentile_field, partition_field="", percent="0.5": (
        f"percentile_cont({percent}) within group (order by {percentile_field})"
    ),
    "timestamp_add": lambda datepart, interval, from_timestamp: SQL_MACROS["dateadd"](
        datepart, interval, from_timestamp
    ),
    "timestamp_diff": lambda first_date, second_date, datepart: SQL_MACROS["datediff"](
        first_date, second_date, datepart
    ),
    "try_cast": lambda field, *given, **named: SQL_MACROS["safe_cast"](field, *given, **named),
    "union_connections": lambda *_, single_table_name="union_of_connections", **__: (
        f"select * from {single_table_name}"
    ),
    "union_data": lambda table_identifier="union_of_data", *_, **__: f"select * from {table_identifier}",
    "wrap_in_quotes": lambda text: f'"{text}"',
}

DBT_DATE: Macros = {
    **{name: _call(name) for name in ("day_of_month", "day_of_week", "day_of_year", "last_day", "week_of_year")},
    **{f"{unit}_start": lambda date="current_date", unit=unit, **_: f"date_trunc('{unit}', {date})"
       for unit in ("week", "iso_week", "month", "quarter", "year")},
    **{f"n_{unit}s_{word}": _moved(sign, unit) for unit in ("day", "week", "month") for word, sign in
       (("ago", "-"), ("away", "+"))},
    "convert_timezone": lambda column, *_, **__: str(column),
    "date_part": lambda datepart, date: f"extract({datepart} from {date})",
    "day_name": _call("dayname"),
    "month_name": _call("monthname"),
    "now": lambda *_, **__: "current_timestamp",
    "today": lambda *_, **__: "current_date",
    "tomorrow": lambda *_, **__: "(current_date + interval 1 day)",
    "yesterday": lambda *_, **__: "(current_date - interval 1 day)",
}  # fmt: skip


def _staged(source_model: Any = "nothing", derived_columns: Any = None, **_: Any) -> str:
    """Return the query of a stage of a data vault: its derived columns are SQL of the project's own."""
    given = derived_columns if isinstance(derived_columns, Mapping) else {}
    plain = {name: said.get("value") if isinstance(said, Mapping) else said for name, said in given.items()}
    written = {name: said for name, said in plain.items() if isinstance(said, str) and not said.startswith("!")}
    columns = ["*", *(f"{said} as {name}" for name, said in written.items())]
    return f"select {', '.join(columns)} from {_first(source_model)}"


def _first(source_model: Any) -> Any:
    """Return a relation of one or several, or of a mapping of sources to tables."""
    while isinstance(source_model, list | tuple | Mapping) and source_model:
        source_model = next(iter(source_model.values() if isinstance(source_model, Mapping) else source_model))
    return source_model


AUTOMATE_DV: Macros = {
    **dict.fromkeys(
        (
            *("hub", "link", "t_link", "sat", "ma_sat", "eff_sat", "xts", "pit", "bridge", "ref_table", "ref_hub"),
            *("sat_v0", "sat_v1", "ma_sat_v0", "ma_sat_v1", "eff_sat_v0", "nh_link", "nh_sat", "ref_sat_v0"),
            *("ref_sat_v1", "rec_track_sat"),
        ),
        lambda *_, source_model="nothing", **__: f"select * from {_first(source_model)}",
    ),
    "hash": lambda columns="null", alias="hash", **_: (
        f"md5({columns if isinstance(columns, str) else ' || '.join(map(str, columns))}) as {alias}"
    ),
    "stage": _staged,
}
"""Those of data vaults, of two packages: all but stages is keys and loads."""

SNOWPLOW_UTILS: Macros = {
    **dict.fromkeys(("set_query_tag", "snowplow_delete_from_manifest", "print_run_limits"), _nothing),
    "current_timestamp_in_utc": lambda *_, **__: "current_timestamp",
    "get_array_to_string": lambda array_column, *_, **__: f"array_to_string({array_column}, ',')",
    "is_run_with_new_events": lambda *_, **__: "true",
}

PACKAGES: Mapping[str, Macros] = {
    "dbt": SQL_MACROS,
    "dbt_utils": SQL_MACROS,
    "fivetran_utils": FIVETRAN_UTILS,
    "dbt_date": DBT_DATE,
    "snowplow_utils": SNOWPLOW_UTILS,
    **dict.fromkeys(("automate_dv", "dbtvault", "datavault4dbt"), AUTOMATE_DV),
}
"""The packages whose common macros are known here, should they not be installed."""
