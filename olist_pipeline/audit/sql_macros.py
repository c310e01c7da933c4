"""dbt's and dbt_utils' macros that only write SQL, in their plainest form.

What belongs here: what stands for a macro whose package is not installed. What does not: macros that ask a database
for rows, but for the answer "none".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def _key(columns: Any, *_: Any) -> str:
    names = columns if isinstance(columns, list | tuple) else [columns]
    return f"md5({' || '.join(f'cast({name} as varchar)' for name in names)})"


def _quotient(numerator: Any, denominator: Any) -> str:
    return f"(({numerator}) / nullif(({denominator}), 0))"


def _deduplicated(relation: Any, partition_by: Any, order_by: Any = "1", **_: Any) -> str:
    number = f"row_number() over (partition by {partition_by} order by {order_by})"
    return f"select * from (select *, {number} as rn from {relation}) as numbered where rn = 1"


def _pivoted(column: Any, values: Any = (), *_: Any, agg: str = "sum", then_value: Any = 1, **__: Any) -> str:
    picked = (f"{agg}(case when {column} = '{value}' then {then_value} end) as \"{value}\"" for value in values)
    return ", ".join(picked) or "null as nothing_to_pivot"


def _only(given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return next(iter((*given, *named.values())), "varchar")


SQL_MACROS: dict[str, Callable[..., Any]] = {
    "generate_surrogate_key": _key,
    "surrogate_key": _key,
    "star": lambda *_, **__: "*",
    "group_by": lambda n: f"group by {', '.join(str(number + 1) for number in range(int(n)))}",
    "safe_divide": _quotient,
    "safe_add": lambda *parts: "(" + " + ".join(f"coalesce({part}, 0)" for part in _flat(parts)) + ")",
    "safe_subtract": lambda *parts: "(" + " - ".join(f"coalesce({part}, 0)" for part in _flat(parts)) + ")",
    "date_spine": lambda datepart="day", start_date="", end_date="", **_: f"select {start_date} as date_{datepart}",
    "union_relations": lambda relations=(), **_: (
        "select * from " + (" union all select * from ".join(map(str, relations)) or "union_of_relations")
    ),
    **dict.fromkeys(("get_column_values", "get_filtered_columns_in_relation"), lambda *_, **__: []),
    **dict.fromkeys(("get_relations_by_pattern", "get_relations_by_prefix"), lambda *_, **__: []),
    "get_single_value": lambda _sql="", default="null", **__: default,
    "deduplicate": _deduplicated,
    "pivot": _pivoted,
    "unpivot": lambda relation="nothing", **_: f"select * from {relation}",
    "width_bucket": lambda expr, min_value, max_value, num_buckets: (
        f"width_bucket({expr}, {min_value}, {max_value}, {num_buckets})"
    ),
    "slugify": lambda string: re.sub(r"\W+", "_", str(string).strip().lower()),
    **{name: lambda field, *_, **__: f"split_part({field}, '/', 3)" for name in ("get_url_host", "get_url_path")},
    "get_url_parameter": lambda field, url_parameter: f"split_part({field}, '{url_parameter}=', 2)",
    **dict.fromkeys(
        ("current_timestamp_backcompat", "current_timestamp_in_utc_backcompat"), lambda: "current_timestamp"
    ),
    "convert_timezone": lambda column, *_, **__: str(column),
    "date": lambda year, month, day: f"make_date({year}, {month}, {day})",
    "dateadd": lambda datepart, interval, from_date_or_timestamp: (
        f"{from_date_or_timestamp} + interval {interval} {datepart}"
    ),
    "datediff": lambda first_date, second_date, datepart: f"date_diff('{datepart}', {first_date}, {second_date})",
    "date_trunc": lambda datepart, date: f"date_trunc('{datepart}', {date})",
    "last_day": lambda date, datepart="month": f"last_day({date})",
    "current_timestamp": lambda: "current_timestamp",
    "type_string": lambda: "varchar",
    "type_timestamp": lambda: "timestamp",
    "type_int": lambda: "int",
    "type_bigint": lambda: "bigint",
    "type_float": lambda: "float",
    "type_numeric": lambda: "numeric",
    "type_boolean": lambda: "boolean",
    "hash": lambda field: f"md5(cast({field} as varchar))",
    "concat": lambda fields: " || ".join(map(str, fields)),
    "cast": lambda field, *given, **named: f"cast({field} as {_only(given, named)})",
    "safe_cast": lambda field, *given, **named: f"try_cast({field} as {_only(given, named)})",
    "split_part": lambda string_text, delimiter_text, part_number: (
        f"split_part({string_text}, {delimiter_text}, {part_number})"
    ),
    "length": lambda expression: f"length({expression})",
    "replace": lambda field, old_chars, new_chars: f"replace({field}, {old_chars}, {new_chars})",
    "right": lambda string_text, length_expression: f"right({string_text}, {length_expression})",
    "listagg": lambda measure, *_, **__: f"string_agg({measure}, ',')",
    "bool_or": lambda expression: f"bool_or({expression})",
    "any_value": lambda expression: f"any_value({expression})",
    "array_append": lambda array, new_element: f"array_append({array}, {new_element})",
    "array_concat": lambda array_1, array_2: f"array_concat({array_1}, {array_2})",
    "array_construct": lambda inputs=(), *_, **__: f"array_construct({', '.join(map(str, inputs))})",
    "escape_single_quotes": lambda expression: str(expression).replace("'", "''"),
    "position": lambda substring_text, string_text: f"position({substring_text} in {string_text})",
    "except": lambda: "except",
    "intersect": lambda: "intersect",
    "generate_series": lambda upper_bound: f"select 1 as generated_number limit {upper_bound}",
    "cast_bool_to_text": lambda field: f"cast({field} as varchar)",
    "equals": lambda expr1, expr2: f"({expr1} = {expr2})",
    "not_null_proportion": lambda *_, **__: "null",
    "pretty_time": lambda *_, **__: "",
    "pretty_log_format": lambda *_, **__: "",
    "string_literal": lambda value: f"'{value}'",
}
"""The macros by name."""


def _flat(parts: tuple[Any, ...]) -> list[Any]:
    return [part for item in parts for part in (item if isinstance(item, list | tuple) else [item])]
